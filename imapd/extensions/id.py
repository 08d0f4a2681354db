"""ID: which programs talk to each other (RFC 2971).

Nothing is done because of what a client says it is (3); it is for the log alone, a short
line when the client logs in, so that strangers cannot fill it (7).
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from imapd.dialect import Capability, Command, Feature
from imapd.model.states import ANY, State
from imapd.session.entry import Entry
from imapd.session.session import Session
from imapd.wire import encode
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

#: Fields that are worth a place in the log, and how much of each.
_LOGGED: Final = (b"name", b"version", b"vendor", b"os")
_LENGTH: Final = 40

_Fields = dict[bytes, bytes | None]


def _fields(cursor: Cursor) -> _Fields | None:
    """``id_params_list ::= "(" #(string SPACE nstring) ")" / nil``.

    Longer and more than 3.3 permits are taken: the client's fault is nobody's harm.
    """
    cursor.space()
    if cursor.skip_word(b"NIL"):
        return None
    return dict(cursor.listed(_field, empty=True))


def _field(cursor: Cursor) -> tuple[bytes, bytes | None]:
    name = cursor.string().lower()
    cursor.space()
    return name, cursor.nstring()


def _version() -> str:
    try:
        return version("imapd")
    except PackageNotFoundError:
        return ""


_NAME: Final = b'("name" "imapd")'
_WHOLE: Final = b'("name" "imapd" "version" %b)' % encode.string(_version().encode("ascii"))


def _id(session: Session, fields: _Fields | None) -> None:
    told = [
        f"{name.decode('ascii')}={value[:_LENGTH].decode('utf-8', 'replace')!r}"
        for name in _LOGGED
        if fields is not None and (value := fields.get(name))
    ]
    session.identity = " ".join(told)
    # Our version is nothing for strangers (7).
    stranger = session.state is State.NOT_AUTHENTICATED
    session.write(b"* ID %b\r\n" % (_NAME if stranger else _WHOLE))
    if not stranger:
        _log(session, session.user)


def _admit(entry: Entry) -> None:
    _log(entry.session, entry.user)


def _log(session: Session, user: str | None) -> None:
    if session.identity:
        session.policy.log.info(
            "client: user={user!r} {identity}", user=user, identity=session.identity
        )


FEATURE = Feature(
    name="ID",
    rfc=2971,
    summary="which programs talk to each other, for the log",
    capabilities=(Capability("ID"),),
    commands=(Command("ID", ANY, _fields, _id),),
    admits=_admit,
)
