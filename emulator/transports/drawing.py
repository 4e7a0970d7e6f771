"""What a real programmer or pump draws at random, in one place; a world draws from its seed."""

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
