"""The bytes of a request's body: no larger than the limit, also when they come compressed."""

import zlib

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from feedbackhub.core.problems import Problem

GZIP = "gzip"
_NOT_CODED = ("", "identity")
# zlib's sign for a gzip header.
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def read_body(request: HttpRequest) -> bytes:
    """What was sent, decompressed; raises :class:`Problem` 400, 411, 413 or 415."""
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in (*_NOT_CODED, GZIP):
        raise Problem(415, "Send the body as it is, or with `Content-Encoding: gzip`.")
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    raw = _received(request, limit)
    return inflated(raw, limit=limit) if coding == GZIP else raw


def inflated(raw: bytes, *, limit: int) -> bytes:
    """The content of one gzip stream; unpacking stops at ``limit``, whatever is left.

    Raises :class:`Problem` 400 for bytes that are no gzip, 413 for more content than ``limit``.
    """
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = unpacker.decompress(raw, limit + 1)
    except zlib.error as error:
        raise _not_gzip(str(error)) from None
    if len(content) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise _not_gzip("it ends too early")
    if unpacker.unused_data:
        # Half a million tiny streams in a row are legal and take minutes to unpack.
        raise _not_gzip("something follows its end")
    return content


def _received(request: HttpRequest, limit: int) -> bytes:
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        raise Problem(411, "Say the size of the body in `Content-Length`.")
    try:
        return request.body
    except RequestDataTooBig:
        raise _too_large(limit) from None
    except UnreadablePostError:
        raise Problem(400, "The body ended early; send it again.") from None
    except ValueError:
        raise Problem(400, "`Content-Length` is not a number.") from None


def _not_gzip(what: str) -> Problem:
    return Problem(400, f"The body is not gzip: {what}.")


def _too_large(limit: int) -> Problem:
    return Problem(413, f"A body may have at most {limit:,} bytes, unpacked too; split it.")
