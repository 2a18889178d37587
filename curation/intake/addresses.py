"""Whose address a request came from, as a keyed hash: so that a burst from one can be seen.

The address itself is stored nowhere. It is known only where it is an end user's: of a source that
web pages call, or named by a proxy the operator trusts (``TRUSTED_PROXIES``). A frontend's server
sends for all its subjects; its own address says nothing of any of them.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

from feedbackhub.core.keys import KeyHolder
from feedbackhub.core.subjects import keyed_hash

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]
# No subject can be called so: names hold no NUL.
_SALT = "\0address:"
# What one subscriber gets at least: within it a machine changes its address as it likes.
_SUBSCRIBER_BITS = 64


def address_hash(request: HttpRequest, *, holder: KeyHolder) -> str | None:
    """The keyed hash of the end user's address in hexadecimal; None where that is not known."""
    found = client_address(
        sender=request.META.get("REMOTE_ADDR", ""),
        forwarded=request.META.get("HTTP_X_FORWARDED_FOR"),
        is_called_by_pages=bool(holder.allowed_origins),
        trusted=settings.TRUSTED_PROXIES,
    )
    if found is None:
        return None
    return keyed_hash(
        f"{_SALT}{found}", key=settings.SUBJECT_HASH_KEY, project_id=holder.project_id
    ).hex()


def client_address(
    *, sender: str, forwarded: str | None, is_called_by_pages: bool, trusted: Networks
) -> str | None:
    """The end user's address: of IPv6 the subscriber's network; None where it is not known.

    ``forwarded`` is ``X-Forwarded-For``: each proxy adds on its right whom it heard. It is read
    from there up to the first address that is no trusted proxy; what stands further left, a client
    can have written. From a sender that is not trusted it is not believed, and neither is the
    sender taken for the user then: it says itself that it passes something on.
    """
    heard = _parsed(sender)
    if heard is None:
        return None
    if not _is_among(heard, trusted):
        return _subscriber(heard) if is_called_by_pages and forwarded is None else None
    for name in reversed((forwarded or "").split(",")):
        heard = _parsed(name)
        if heard is None:
            return None
        if not _is_among(heard, trusted):
            return _subscriber(heard)
    return None


def _parsed(name: str) -> Address | None:
    try:
        address = ip_address(name.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_among(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _subscriber(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address.packed, _SUBSCRIBER_BITS), strict=False))
