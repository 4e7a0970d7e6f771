"""How many examples a property tries that runs once for each of many records.

A fraction of what the profile says, so that `deep` is still deep and `dev` is still quick.
"""

from hypothesis import settings

few = settings(max_examples=max(8, settings.default.max_examples // 12))
