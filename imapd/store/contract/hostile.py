"""Hostile names: of mailboxes and of users.  None may reach anything but what it names."""

from __future__ import annotations

from typing import Final

import pytest

from imapd.model.limits import Limits
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import BadMailboxName, MailboxExists, NoSuchMailbox

__all__ = ["Hostile"]

_REFUSED: Final = {
    "empty": "",
    "only a delimiter": "/",
    "begins with a delimiter": "/a",
    "ends with a delimiter": "a/",
    "doubled delimiter": "a//b",
    "NUL": "a\0b",
    "CR": "a\rb",
    "LF": "a\nb",
    "TAB": "a\tb",
    "DEL": "a\x7fb",
    "C1 control": "a\x85b",
    "half a surrogate pair": "a\ud800b",
    "too long": "a/" * (Limits().mailbox_name // 2) + "bc",
}

_STRANGE: Final = {
    "dot": ".",
    "dots": "..",
    "out of the root": "../../etc/passwd",
    "dots within": "a/../b",
    "dot within": "a/./b",
    "begins with a dot": ".hidden",
    "ends with a dot": "end.",
    "dots as delimiters": "a.b.c",
    "two dots inside": "a..b",
    "backslash": "a\\b",
    "Windows root": "C:",
    "colon": "x:2,S",
    "tilde": "~root",
    "tilde later": "a~b",
    "Maildir's cur": "cur",
    "Maildir's new": "new",
    "Maildir's tmp": "a/tmp",
    "Dovecot's file": "dovecot-uidlist",
    "ampersand": "a&b",
    "looks like modified UTF-7": "&AOQ-",
    "percent": "100%",
    "percent-encoded": "a%2Fb",
    "wild cards": "a*b?[c]",
    "quotes": "a\"b'c",
    "spaces": " a  b ",
    "only a space": " ",
    "dollar": "$HOME",
    "semicolon": "a;drop table mail",
    "beyond ASCII": "Entwürfe",
    "beyond the first plane": "🙂",
    "right to left": "דואר",
    "begins with a dash": "-rf",
    "hash": "#news",
    "at": "a@b",
    "INBOX inside": "x/INBOX",
    "INBOX and more": "INBOXES",
    "long level": "x" * Limits().mailbox_level,
}

_USERS: Final = {
    "empty": "",
    "dot": ".",
    "dots": "..",
    "the other user through dots": "x/../{}",
    "the other user through here": "./{}",
    "absolute": "/{}",
    "trailing slash": "{}/",
    "NUL": "{}\0",
    "NUL and more": "{}\0x",
    "line feed": "{}\n",
    "percent": "%u",
    "half a surrogate pair": "{}\ud800",
    "long": "x" * 5_000,
}


class Hostile(Subject):
    """Names that other software tripped over."""

    @pytest.mark.parametrize("name", _REFUSED.values(), ids=_REFUSED)
    @promise
    async def test_a_name_that_cannot_be(self, name: str) -> None:
        """CREATE and RENAME refuse it with BadMailboxName; OPEN and DELETE find nothing."""
        session = await self.session()
        await session.create("good")
        with pytest.raises(BadMailboxName):
            await session.create(name)
        with pytest.raises(BadMailboxName):
            await session.rename("good", name)
        for attempt in (session.open, session.delete):
            with pytest.raises((NoSuchMailbox, BadMailboxName)):
                await attempt(name)
        assert await session.names() == {"INBOX", "good"}

    @pytest.mark.parametrize("name", _STRANGE.values(), ids=_STRANGE)
    @promise
    async def test_a_strange_name(self, name: str) -> None:
        """It is refused with BadMailboxName, or it is a mailbox of exactly that name."""
        session = await self.session()
        try:
            box = await session.make(name)
        except BadMailboxName:
            assert await session.names() == {"INBOX"}
            return
        (uid,) = await box.add(1, "\\Flagged")
        levels = name.split("/")
        above = {"/".join(levels[:depth]) for depth in range(1, len(levels) + 1)}
        assert await session.names() == {"INBOX"} | above
        assert await (await session.open(name)).flags() == {uid: {"\\Flagged"}}
        await session.subscribe(name)
        assert (await session.mailboxes())[name].subscribed
        await session.rename(name, "plain")
        await session.rename("plain", name)
        await session.delete(name)
        assert name not in await session.names()

    @promise
    async def test_strange_names_are_distinct(self) -> None:
        """No two names are one mailbox, whatever they become on disk."""
        session = await self.session()
        ids: dict[str, str] = {}
        for name in _STRANGE.values():
            try:
                await session.create(name)
            except BadMailboxName:
                continue
            except MailboxExists:
                assert name in {"a", "x"}, f"{name!r} was made by another name"
            ids[name] = (await session.open(name)).id
        assert len(set(ids.values())) == len(ids)
        assert ids.keys() <= await session.names()

    @promise
    async def test_names_that_look_alike(self) -> None:
        """Names that differ by encoding or delimiter are different names, if both can be."""
        session = await self.session()
        ids = {}
        for name in (
            "a/b",
            "a.b",
            "a b",
            "a\\b",
            "a%2Fb",
            "ä",
            "&AOQ-",
            "a%20b",
            "INBOX/x",
            "INBOX.x",
        ):
            try:
                ids[name] = (await session.make(name)).id
            except BadMailboxName:
                continue
        assert len(set(ids.values())) == len(ids)
        assert ids.keys() <= await session.names()

    @promise
    async def test_a_long_name_in_levels(self) -> None:
        """Names of two hundred characters are taken."""
        session = await self.session()
        name = "/".join(["level-of-12c"] * 15)
        await (await session.make(name)).add()
        assert name in await session.names()

    @pytest.mark.parametrize("pattern", _USERS.values(), ids=_USERS)
    @promise
    async def test_a_strange_user(self, pattern: str) -> None:
        """Refused with BadMailboxName, or an account of its own: never another user's mail."""
        owner = await self.session(self.other_user)
        inbox = await owner.open("INBOX")
        await inbox.add(3)
        await owner.create("private")
        user = pattern.replace("{}", self.other_user)
        try:
            stranger = await self.session(user)
        except BadMailboxName:
            return
        assert "private" not in await stranger.mailboxes()
        other = await stranger.open("INBOX")
        assert other.id != inbox.id
        assert (await other.status()).messages == 0
        await other.add()
        assert (await inbox.status()).messages == 3
