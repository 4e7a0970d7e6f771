"""The catalogue: what a programmer can say to a pump, and what the pump can say back.

A message is declared once, in one of these modules.  A request gets exactly one reply: its own, or
`Refused`.  An event comes unasked.  A request that changes the pump carries a `transaction` chosen
by the programmer; repeating it returns the recorded outcome and does nothing twice.

All names, units, limits and numbers are invented.
"""

# Importing this package is enough to encode and decode: it is what fills the catalogue.
from mockpump.protocol.messages.base import CATALOGUE as CATALOGUE
from mockpump.protocol.messages.base import Access as Access
from mockpump.protocol.messages.base import decode as decode
from mockpump.protocol.messages.base import encode as encode
from mockpump.protocol.messages.base import entry_named as entry_named
from mockpump.protocol.messages.base import entry_of as entry_of
from mockpump.protocol.messages.delivery import *
from mockpump.protocol.messages.monitoring import *
from mockpump.protocol.messages.program import *
from mockpump.protocol.messages.session import *
from mockpump.protocol.messages.status import *
from mockpump.protocol.messages.types import *
