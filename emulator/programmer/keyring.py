"""The programmer's keyring: which key opens a session with which pump.

One entry a pump, found by its serial number, with at most one key for each access.  What a person
keeps of it is JSON; the file itself is `mockpump.emulator.transports.keyring_file`'s business.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.keys import PairingKey, parse_key
from mockpump.protocol.messages import Access, Identity


class BadKeyring(MockpumpError):
    """What should be a keyring is none; it does not repeat what is in it."""


class KeysTaken(BadKeyring):
    """It has other keys under that number, which nobody has asked to throw away."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """What is known of one pump: its name, for people, and its keys as text."""

    name: str
    keys: dict[Literal["observer", "clinician"], str]

    def __repr__(self) -> str:
        return f"<keys of a pump: {', '.join(self.keys)}>"


class _Book(msgspec.Struct, forbid_unknown_fields=True):
    """The whole keyring, as JSON has it."""

    format: Literal["mockpump-keyring/1"]
    pumps: dict[int, _Entry]


class Keyring:
    """The keys of all the pumps that one programmer knows."""

    def __init__(self) -> None:
        self._pumps: dict[int, dict[Access, PairingKey]] = {}
        self._names: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._pumps)

    def __contains__(self, serial: int) -> bool:
        return serial in self._pumps

    def add(self, serial: int, name: str, key: PairingKey) -> None:
        """Keep a key, in place of the one with the same access to that pump."""
        self._pumps.setdefault(serial, {})[key.access] = key
        self._names[serial] = name

    def give(
        self, serial: int, name: str, keys: Iterable[PairingKey], *, old: Iterable[PairingKey] = ()
    ) -> None:
        """Keep all the keys of a pump; `old` are those that it had until now.

        `KeysTaken` when there are others under its number: nothing says that those are this pump's.
        """
        if not self._are(serial, old):
            raise KeysTaken(self._taken(serial))
        self.replace(serial, name, keys)

    def replace(self, serial: int, name: str, keys: Iterable[PairingKey]) -> None:
        """Keep these keys and no others under that number."""
        self._pumps[serial] = {key.access: key for key in keys}
        self._names[serial] = name

    def learn(self, serial: int, name: str, key: PairingKey) -> None:
        """Keep one more key of a pump; `KeysTaken` when there is another with the same access."""
        if self._pumps.get(serial, {}).get(key.access, key).text != key.text:
            raise KeysTaken(self._taken(serial))
        self.add(serial, name, key)

    def learn_anew(self, serial: int, name: str, key: PairingKey) -> None:
        """The same, whatever is there: with another key of that access goes the whole pump."""
        try:
            self.learn(serial, name, key)
        except KeysTaken:
            self.replace(serial, name, [key])

    def forget(self, serial: int, keys: Iterable[PairingKey]) -> bool:
        """Drop a pump whose keys are these, and no others by now; whether there was one."""
        if serial not in self or not self._are(serial, keys):
            return False
        del self._pumps[serial], self._names[serial]
        return True

    def _are(self, serial: int, keys: Iterable[PairingKey]) -> bool:
        """Whether there are no keys under that number but these."""
        texts = {key.text for key in keys}
        return all(key.text in texts for key in self._pumps.get(serial, {}).values())

    def _taken(self, serial: int) -> str:
        whose = f'number {serial} ("{self._names[serial]}")'
        return f"it has other keys for {whose}"

    def find(self, serial: int, access: Access | None = None) -> PairingKey | None:
        """The key with that access, or else the one that grants most; None when there is none."""
        keys = self._pumps.get(serial, {})
        return keys.get(max(keys) if access is None and keys else access or Access.CLINICIAN)

    def find_for(self, identity: Identity) -> PairingKey | None:
        """The key that grants most to the pump that says it is this one."""
        return self.find(identity.serial)

    def dumps(self) -> bytes:
        """The keyring as JSON.  It holds the keys in the clear: keep it where only you can read."""
        pumps = {
            serial: _Entry(
                self._names[serial],
                {key.access.name.lower(): key.text for key in keys.values()},  # type: ignore[misc]
            )
            for serial, keys in self._pumps.items()
        }
        book = _Book("mockpump-keyring/1", pumps)
        return msgspec.json.format(msgspec.json.encode(book), indent=2) + b"\n"


def loads(data: bytes) -> Keyring:
    """The keyring in a JSON text; `BadKeyring`, or `BadKey` for what is not a key."""
    try:
        book = msgspec.json.decode(data, type=_Book)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # What msgspec says could quote a key.
        raise BadKeyring("it is not a keyring of mockpump-keyring/1") from None
    keyring = Keyring()
    for serial, entry in book.pumps.items():
        for text in entry.keys.values():
            keyring.add(serial, entry.name, parse_key(text))
    return keyring
