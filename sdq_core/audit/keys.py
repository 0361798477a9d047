"""The ed25519 keys that seal and verify: made, kept private, read, named."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sdq_core.errors import BundleError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

__all__ = ["key_id", "new_key", "read_private_key", "read_public_key"]

PRIVATE_MODE: Final = 0o600
MOST_BYTES: Final = 65_536
"""A key file is a few hundred bytes; what is longer is something else."""


def new_key(path: Path) -> tuple[Path, str]:
    """Make a key pair.

    Parameters
    ----------
    path : Path
        File of the private key (PEM, PKCS #8); only its owner may read it, from the moment it
        exists. The public key (PEM, SubjectPublicKeyInfo) stands beside it as ``<path>.pub``.

    Returns
    -------
    public : Path
    identifier : str
        As `key_id` gives it.

    Raises
    ------
    BundleError
        A file of one of the two names exists, or cannot be written; then neither is there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     public, identifier = new_key(Path(folder) / "lab.pem")
    ...     public.name, identifier == key_id(read_public_key(public))
    ('lab.pem.pub', True)
    """
    require_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    open_part = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public = path.with_name(f"{path.name}.pub")
    _write_new(public, open_part, 0o644)
    try:
        _write_new(path, secret, PRIVATE_MODE)
    except BaseException:
        public.unlink(missing_ok=True)
        raise
    return public, key_id(key.public_key())


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read the private key that seals.

    Raises
    ------
    BundleError
        Others than its owner may read the file, it cannot be read, or holds no such key.
    """
    require_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _bytes(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BundleError(
            f"key {path}: others than its owner may use it "
            f"(mode {stat.S_IMODE(path.stat().st_mode):04o}); run: chmod 600 {path.name}, and "
            f"consider whether somebody already copied it"
        )
    if b"PUBLIC KEY" in data:
        raise BundleError(
            f"key {path}: is a public key, which verifies; sealing needs the private key "
            f"(make one with: sdq seal --new-key FILE)"
        )
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError as error:
        raise BundleError(
            f"key {path}: is protected by a password, which sdq does not ask for; "
            f"write it unprotected with the mode 0600, or make a new one"
        ) from error
    except Exception as error:  # broken keys fail in many ways, none of which is ours
        raise BundleError(
            f"key {path}: is no private key in PEM; make one with: sdq seal --new-key FILE"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(
            f"key {path}: is a key of another kind than ed25519; "
            f"make one with: sdq seal --new-key FILE"
        )
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read the public key that verifies.

    Raises
    ------
    BundleError
        The file cannot be read or holds no public ed25519 key.
    """
    require_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = _bytes(path)
    if b"PRIVATE KEY" in data:
        raise BundleError(
            f"key {path}: is a private key, which never leaves the laboratory; "
            f"verifying needs the public one (the file that ends in .pub)"
        )
    try:
        key = load_pem_public_key(data)
    except Exception as error:  # broken keys fail in many ways, none of which is ours
        raise BundleError(
            f"key {path}: is no public key in PEM; ask the laboratory that sealed for its .pub file"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError(f"key {path}: is a key of another kind than ed25519; sdq seals with that")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a key: SHA-256 (hex) of its SubjectPublicKeyInfo in DER."""
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def require_cryptography() -> None:
    """Raise `BundleError` with the remedy where the package is not installed."""
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        raise BundleError(
            "sealing and verifying need the package cryptography, which is not installed; "
            "install it with: pip install 'sdq[audit]'"
        )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BundleError(
            f"key {path}: cannot be read ({error.strerror or type(error).__name__}); give a PEM "
            f"file, or make a key with: sdq seal --new-key FILE"
        ) from error
    if len(data) > MOST_BYTES:
        raise BundleError(f"key {path}: is too long for a key; give a PEM file")
    return data


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that does not exist yet, with its mode from the first moment on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Neither an existing file nor a link is followed, and no umask makes the mode wider.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise BundleError(
            f"key {path}: exists already and is never overwritten; choose another name"
        ) from error
    except OSError as error:
        raise BundleError(
            f"key {path}: cannot be written ({error.strerror or type(error).__name__}); "
            f"choose a folder in which you may write"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
