"""DSSE 1.0: an envelope of a payload, its type, and signatures over both.

Dead Simple Signing Envelope, https://github.com/secure-systems-lab/dsse, ``protocol.md`` and
``envelope.md``: what is signed is the type and the bytes of the payload, framed by their lengths,
so that no signed text can be read as another. Nothing depends on a canonical form of JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdq_core.audit.keys import key_id
from sdq_core.errors import BundleError
from sdq_core.hashing import canonical_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

__all__ = ["Envelope", "pae", "read_envelope", "sign"]


@dataclass(frozen=True)
class Envelope:
    """A payload with its signatures, not verified yet.

    Parameters
    ----------
    payload_type : str
        Media type; signed with the payload.
    payload : bytes
    signatures : tuple of (str, bytes)
        Key id and signature. The id is a hint that nobody signed: no decision rests on it.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Return whether one of the signatures was made with the private part of a key."""
        from cryptography.exceptions import InvalidSignature

        signed = pae(self.payload_type, self.payload)
        for _, signature in self.signatures:
            try:
                key.verify(signature, signed)
            except InvalidSignature:
                continue
            return True
        return False

    def to_json(self) -> bytes:
        """Return the JSON form: same envelope, same bytes."""
        return canonical_json(
            {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": name, "sig": base64.b64encode(signature).decode()}
                    for name, signature in self.signatures
                ],
            }
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    r"""Return the bytes that are signed (Pre-Authentication Encoding).

    Examples
    --------
    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, key: Ed25519PrivateKey) -> Envelope:
    """Return an envelope with one signature; ed25519 gives the same one every time (RFC 8032)."""
    signature = key.sign(pae(payload_type, payload))
    return Envelope(payload_type, payload, ((key_id(key.public_key()), signature),))


def read_envelope(data: bytes) -> Envelope:
    """Read the JSON form.

    Raises
    ------
    BundleError
        It is none; both base64 alphabets are accepted, as the specification demands.
    """
    try:
        # Any exception means the same: these bytes are no envelope.
        found = json.loads(data, parse_constant=_no_constant)
        signatures = tuple(
            (_text(s.get("keyid", "")), _decoded(s["sig"])) for s in found["signatures"]
        )
        envelope = Envelope(_text(found["payloadType"]), _decoded(found["payload"]), signatures)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"the seal is no DSSE envelope ({type(error).__name__}); ask for the bundle again"
        ) from error
    if not envelope.signatures:
        raise BundleError("the seal has no signature; ask for the bundle again")
    return envelope


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _decoded(value: Any) -> bytes:
    text = _text(value).translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
