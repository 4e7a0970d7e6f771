"""What is drawn at random, in one place, for the real world; a world draws from its seed."""

import secrets

from mockpump.protocol.messages import NONCE_SIZE


def connection_id() -> int:
    """The id of a new connection: a u16."""
    return secrets.randbelow(2**16)


def transaction() -> int:
    """The number of a change: a u32."""
    return secrets.randbelow(2**32)


def nonce() -> bytes:
    """What a greeting is made fresh by."""
    return secrets.token_bytes(NONCE_SIZE)


def secret(size: int) -> bytes:
    """Bytes for a key, or for a pump's nonces."""
    return secrets.token_bytes(size)


def serial() -> int:
    """The made-up number of a new pump: a u32."""
    return secrets.randbelow(2**32)


def seed() -> int:
    """Where a campaign begins that was not told: few enough digits to type again."""
    return secrets.randbelow(10**9)
