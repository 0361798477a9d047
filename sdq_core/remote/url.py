"""Addresses of cohorts that are not a folder here, and what may be said of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["ARCHIVES", "Address", "address_of", "is_archive"]

ARCHIVES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Endings of archives that are unpacked."""

_UNPACKED: Final = ("zip", "tar")
# A path keeps one of two slashes in a row; a drive letter is no scheme.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+):/{1,2}(?!/)")
_USER: Final = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a cohort lies.

    Parameters
    ----------
    location : str
        URL of an object, of a folder of objects, or path of a local archive. May hold credentials:
        only `shown` may be printed.
    inner : tuple of str
        Paths inside archives, the outermost archive first; empty where nothing is unpacked.

    Examples
    --------
    >>> address_of(Path("zip://images::s3://key:secret@bucket/a.zip"))
    Address(location='s3://key:secret@bucket/a.zip', inner=('images',))
    """

    location: str
    inner: tuple[str, ...] = ()

    @property
    def remote(self) -> bool:
        """Whether the location is a URL, not a path of this machine."""
        return "://" in self.location

    @property
    def shown(self) -> str:
        """The address without user, password and query, for messages.

        Examples
        --------
        >>> Address("https://me:pw@host/a.zip?signature=abc", ("x",)).shown
        'x in https://host/a.zip'
        """
        plain = _USER.sub("", self.location).partition("?")[0]
        within = [f"{path} in " for path in reversed(self.inner) if path]
        return "".join(within) + (plain if self.remote else Path(plain).name)


def is_archive(name: str) -> bool:
    """Return whether a file's name is that of an archive.

    Examples
    --------
    >>> is_archive("Cohort.TAR.GZ"), is_archive("a.nii.gz")
    (True, False)
    """
    return name.partition("?")[0].lower().endswith(ARCHIVES)


def address_of(path: Path) -> Address | None:
    """Return the address that a path of a study stands for, None for an ordinary path.

    A URL that went through a path has lost a slash; it is put back. ``::`` joins the place inside
    an archive and the archive, as in fsspec.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Address or None

    Examples
    --------
    >>> address_of(Path("s3://bucket/train")), address_of(Path("real/train"))
    (Address(location='s3://bucket/train', inner=()), None)
    >>> address_of(Path("real.zip"))
    Address(location='real.zip', inner=('',))
    """
    *above, location = str(path).split("::")
    inner = []
    for part in above:
        scheme = _SCHEME.match(part)
        if scheme is None or scheme[1].lower() not in _UNPACKED:
            return None  # no chain that unpacks; a name may hold two colons
        inner.append(part[scheme.end() :].strip("/"))
    inner.reverse()
    scheme = _SCHEME.match(location)
    if scheme is not None:
        rest = location[scheme.end() :]
        root = "/" if scheme[1].lower() in ("file", "local") else ""
        location = f"{scheme[1]}://{root}{rest}"
    elif not inner and not is_archive(location):
        return None
    if not inner and is_archive(location):
        inner = [""]
    if any(".." in PurePosixPath(part).parts for part in inner):
        return None
    return Address(location, tuple(inner))
