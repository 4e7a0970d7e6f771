"""The catalogue: what a programmer can say to a pump, and what the pump can say back.

A message is declared once, in one of these modules.  A request gets exactly one reply: its own, or
`Refused`.  An event comes unasked.  A request that changes the pump carries a `transaction` chosen
by the programmer; repeating it returns the recorded outcome and does nothing twice.

All names, units, limits and numbers are invented.
"""

from mockpump.protocol import catalogue
from mockpump.protocol.messages.delivery import *
from mockpump.protocol.messages.identity import *
from mockpump.protocol.messages.safety import *
from mockpump.protocol.messages.session import *
from mockpump.protocol.messages.telemetry import *
from mockpump.protocol.messages.transfer import *
from mockpump.protocol.messages.vocabulary import *

# Importing this package is enough to encode and decode: it is what fills the catalogue.
CATALOGUE = catalogue.CATALOGUE
Access = catalogue.Access
encode = catalogue.encode
decode = catalogue.decode
entry_of = catalogue.entry_of
entry_named = catalogue.entry_named
