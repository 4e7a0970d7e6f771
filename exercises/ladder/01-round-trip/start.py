"""Exercise 1: what is encoded comes back."""

from hypothesis import given

from mockpump.protocol.messages import encode
from mockpump.protocol.messages.base import Message
from mockpump.protocol.strategies import messages


@given(messages())
def test_no_two_bytes_too_many(message: Message) -> None:
    """A worked property: a message is never longer than what one frame carries."""
    assert 1 <= len(encode(message)) <= 1_000


# Yours. `decode` is waiting.
