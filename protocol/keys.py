"""Pairing keys: the secret that a pump and a programmer share, and how a person copies one.

A pump has two, one for each `Access`.  A key is 160 random bits; as text it is what it grants, the
bits in base32 (RFC 4648) in groups of four, and one check symbol (ISO/IEC 7064 MOD 37,36) over
both, which finds every mistyped symbol:

    observer-AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4IB-CEQT-R

A secret is never part of a `repr`, of an error or of what is compared by `==`; `text` is the one
way to see it.
"""

import base64
import re
import string

from mockpump.protocol.errors import LocalProtocolError, MockpumpError
from mockpump.protocol.messages.base import Access

SECRET_SIZE = 20
_SYMBOLS = 32
_ALPHABET = string.digits + string.ascii_uppercase
_BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class BadKey(MockpumpError):
    """A text that is not a pairing key; it does not repeat the text."""


class PairingKey:
    """One key: what it grants, and 20 secret bytes, drawn by whoever makes the pump."""

    __slots__ = ("access", "secret")

    def __init__(self, access: Access, secret: bytes) -> None:
        if len(secret) != SECRET_SIZE:
            raise LocalProtocolError(f"a pairing key has {SECRET_SIZE} bytes, not {len(secret)}")
        self.access = access
        self.secret = secret

    def __repr__(self) -> str:
        return f"<pairing key of the {self.access.name.lower()}>"

    @property
    def text(self) -> str:
        """The key as a person copies it."""
        symbols = base64.b32encode(self.secret).decode()
        groups = [*re.findall("....", symbols), _check_symbol(self.access, symbols)]
        return "-".join([self.access.name.lower(), *groups])


def parse_key(text: str) -> PairingKey:
    """The key in a text, in whatever case, with spaces or hyphens anywhere; `BadKey`."""
    compact = re.sub(r"[\s-]", "", text).upper()
    access = next((each for each in Access if compact.startswith(each.name)), None)
    if access is None:
        raise BadKey("a pairing key begins with observer- or clinician-")
    symbols = compact.removeprefix(access.name)
    if len(symbols) != _SYMBOLS + 1:
        raise BadKey(f"a pairing key has {_SYMBOLS + 1} symbols after its role, not {len(symbols)}")
    if not _BASE32.issuperset(symbols[:-1]):
        raise BadKey("a pairing key is written in the letters A to Z and the digits 2 to 7")
    if symbols[-1] != _check_symbol(access, symbols[:-1]):
        raise BadKey("the check symbol does not fit: a symbol is wrong, or two have been swapped")
    return PairingKey(access, base64.b32decode(symbols[:-1]))


def _check_symbol(access: Access, symbols: str) -> str:
    """What makes the sum of ISO/IEC 7064 MOD 37,36 come out as 1."""
    product = 36
    for symbol in access.name[0] + symbols:
        product = ((product + _ALPHABET.index(symbol)) % 36 or 36) * 2 % 37
    return _ALPHABET[(1 - product) % 36]
