"""The checkers: password file, memory, delay, several as one, and the static one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from argon2 import PasswordHasher
from attrs import define, field
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.strcred import ICheckerFactory, makeChecker
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.plugin import getPlugins
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from imapd.auth.cache import IRevised, RememberingChecker
from imapd.auth.chain import FirstOf
from imapd.auth.credentials import IFromPeer, PeerPassword, from_peer
from imapd.auth.maker import UnknownChecker, open_checker
from imapd.auth.passwdfile import PasswordFile, hashed
from imapd.auth.passwords import PasswordChecker
from imapd.auth.static import ILoopbackOnly, StaticPassword
from imapd.auth.throttle import Throttle, ThrottlingChecker, network
from imapd.store.errors import StoreUnavailable

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@implementer(ICredentialsChecker, IRevised)
@define(eq=False)
class _Checker:
    """Knows some names and passwords, and counts how often it is asked."""

    known: dict[bytes, bytes] = field(factory=lambda: {b"tim": b"secret"})
    asked: int = 0
    now: int = 1
    trouble: Exception | None = None
    later: list[Deferred[Any]] | None = None

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        self.asked += 1
        if self.trouble is not None:
            return fail(self.trouble)
        if self.later is not None:
            self.later.append(Deferred())
            return self.later[-1]
        if self.known.get(credentials.username) != credentials.password:
            return fail(UnauthorizedLogin())
        return succeed(credentials.username)

    def revision(self) -> Hashable:
        return self.now


TIM = UsernamePassword(b"tim", b"secret")
WRONG = UsernamePassword(b"tim", b"guess")


class ReactorStub:
    """Threads that run at once, so that a test needs no reactor."""

    def getThreadPool(self) -> ReactorStub:
        """As `IReactorThreads`."""
        return self

    def callInThreadWithCallback(
        self, done: Callable[[bool, object], None], call: Callable[..., object], *args: object
    ) -> None:
        """As `ThreadPool`."""
        try:
            result = call(*args)
        except Exception:
            done(False, Failure())
        else:
            done(True, result)

    def callFromThread(self, call: Callable[..., object], *args: object) -> None:
        """As `IReactorFromThreads`."""
        call(*args)

    def __conform__(self, interface: object) -> ReactorStub:
        return self


class PasswordCheckerTests(SynchronousTestCase):
    """`PasswordChecker` and its file."""

    def setUp(self) -> None:
        """A file with one user."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = PasswordFile(Path(folder.name) / "passwords")
        self.file.set("tim", hashed("secret", CHEAP))
        self.checker = PasswordChecker(self.file, ReactorStub())

    def test_provides(self) -> None:
        """It is a checker that says when its passwords changed."""
        self.assertTrue(verifyObject(ICredentialsChecker, self.checker))
        self.assertTrue(verifyObject(IRevised, self.checker))

    def test_right(self) -> None:
        """The right password gives the user's name."""
        self.assertEqual(self.successResultOf(self.checker.requestAvatarId(TIM)), b"tim")

    def test_wrong(self) -> None:
        """A wrong password, an unknown user and bytes that are no text are refused alike."""
        for name, password in [
            (b"tim", b"x"),
            (b"tom", b"secret"),
            (b"t\xff", b"x"),
            (b"t", b"\xff"),
            (b"tim", "a\u0301\u0316".encode() * 1_000_000),
            ("a\u0301\u0316".encode() * 1_000_000, b"x"),
        ]:
            asked = self.checker.requestAvatarId(UsernamePassword(name, password))
            self.failureResultOf(asked, UnauthorizedLogin)

    def test_unknown_user_costs_a_hash(self) -> None:
        """For an unknown user a hash is computed too, always the same user's."""
        users = {str(number): hashed(str(number), CHEAP) for number in range(8)}
        decoys = {self.checker._decoy("nobody", users) for _ in range(3)}
        self.assertEqual(len(decoys), 1)
        self.assertIn(decoys.pop(), users.values())
        self.assertTrue(self.checker._decoy("nobody", {}).startswith("$argon2id$"))

    def test_decoy_password(self) -> None:
        """The decoy's password lets an unknown user in no more than another one."""
        asked = self.checker.requestAvatarId(UsernamePassword(b"nobody", b"secret"))
        self.failureResultOf(asked, UnauthorizedLogin)

    def test_composed(self) -> None:
        """Name and password are the same however their accents are composed."""
        self.file.set("Ju\u0308rgen", hashed("pa\u0308ss", CHEAP))
        asked = self.checker.requestAvatarId(
            UsernamePassword("J\u00fcrgen".encode(), "p\u00e4ss".encode())
        )
        self.assertEqual(self.successResultOf(asked), "J\u00fcrgen".encode())

    def test_changed(self) -> None:
        """A new password counts from the next log-in on, the old one no more."""
        self.successResultOf(self.checker.requestAvatarId(TIM))
        self.file.set("tim", hashed("new", CHEAP))
        self.failureResultOf(self.checker.requestAvatarId(TIM), UnauthorizedLogin)
        new = UsernamePassword(b"tim", b"new")
        self.assertEqual(self.successResultOf(self.checker.requestAvatarId(new)), b"tim")

    def test_unreadable(self) -> None:
        """Without its file the server lets nobody in, says so to the log, and recovers."""
        self.successResultOf(self.checker.requestAvatarId(TIM))
        text = self.file.path.read_text()
        self.file.path.unlink()
        self.failureResultOf(self.checker.requestAvatarId(TIM), StoreUnavailable)
        self.file.path.write_text(text)
        self.assertEqual(self.successResultOf(self.checker.requestAvatarId(TIM)), b"tim")


def test_password_checker_in_threads(tmp_path: Path) -> None:
    """With real threads, many log-ins at once are all answered."""
    file = PasswordFile(tmp_path / "passwords")
    file.set("tim", hashed("secret", CHEAP))
    pool = ThreadPool(0, 4)
    pool.start()

    calls: Queue[Callable[[], object]] = Queue()

    class _Threads(ReactorStub):
        def getThreadPool(self) -> Any:
            return pool

        def callFromThread(self, call: Callable[..., object], *args: object) -> None:
            calls.put(partial(call, *args))

    try:
        checker = PasswordChecker(file, _Threads())
        asked = [checker.requestAvatarId(TIM) for _ in range(30)]
        assert not any(each.called for each in asked)
        while not all(each.called for each in asked):
            calls.get(timeout=30)()
        assert [each.result for each in asked] == [b"tim"] * 30
    finally:
        pool.stop()


class RememberingTests(SynchronousTestCase):
    """`RememberingChecker`: a right password is not checked again for a while."""

    def setUp(self) -> None:
        """Over a checker that counts."""
        self.clock = Clock()
        self.inner = _Checker()
        self.checker = RememberingChecker(self.inner, self.clock.seconds, 60.0, 2)

    def _ask(self, credentials: Any) -> Any:
        return self.successResultOf(self.checker.requestAvatarId(credentials))

    def test_provides(self) -> None:
        """It is a checker."""
        self.assertTrue(verifyObject(ICredentialsChecker, self.checker))

    def test_remembered(self) -> None:
        """44 log-ins of one visit to Roundcube are one check."""
        self.assertEqual([self._ask(TIM) for _ in range(44)], [b"tim"] * 44)
        self.assertEqual(self.inner.asked, 1)
        self.assertTrue(self.checker.remembers(TIM))

    def test_failure_not_remembered(self) -> None:
        """A wrong password is checked each time, and is never taken for the right one."""
        self._ask(TIM)
        for _ in range(2):
            self.failureResultOf(self.checker.requestAvatarId(WRONG), UnauthorizedLogin)
        self.assertEqual(self.inner.asked, 3)

    def test_boundary(self) -> None:
        """What moves between name and password is another log-in."""
        self._ask(TIM)
        self.assertFalse(self.checker.remembers(UsernamePassword(b"tims", b"ecret")))

    def test_forgotten(self) -> None:
        """After a while the password is checked again."""
        self._ask(TIM)
        self.clock.advance(60)
        self._ask(TIM)
        self.assertEqual(self.inner.asked, 2)

    def test_changed(self) -> None:
        """When the passwords change, all is forgotten at once."""
        self._ask(TIM)
        self.inner.now = 2
        self.inner.known = {}
        self.failureResultOf(self.checker.requestAvatarId(TIM), UnauthorizedLogin)

    def test_changed_meanwhile(self) -> None:
        """A success from before a change that came during the check is not remembered."""
        self.inner.later = []
        asked = self.checker.requestAvatarId(TIM)
        self.inner.now = 2
        self.inner.later[0].callback(b"tim")
        self.assertEqual(self.successResultOf(asked), b"tim")
        self.assertFalse(self.checker.remembers(TIM))

    def test_bounded(self) -> None:
        """Only so many are remembered; the one used longest ago goes."""
        self.inner.known = {b"a": b"1", b"b": b"2", b"c": b"3"}
        a, b, c = (UsernamePassword(*pair) for pair in self.inner.known.items())
        for each in (a, b, a, c):
            self._ask(each)
        self.assertEqual([self.checker.remembers(each) for each in (a, b, c)], [True, False, True])

    def test_nothing_to_read(self) -> None:
        """What is kept does not contain the password."""
        self._ask(TIM)
        self.assertNotIn("secret", repr(self.checker._entries))


class FirstOfTests(SynchronousTestCase):
    """`FirstOf`: several checkers as one."""

    def test_provides(self) -> None:
        """It is a checker that says when any passwords changed."""
        checker = FirstOf([_Checker(now=3), StaticPassword(b"x"), _Checker(now=4)])
        self.assertTrue(verifyObject(ICredentialsChecker, checker))
        self.assertEqual(checker.revision(), (3, 4))

    def test_second(self) -> None:
        """Who is unknown to the first may be known to the second."""
        checker = FirstOf([_Checker({b"ursel": b"x"}), _Checker()])
        self.assertEqual(self.successResultOf(checker.requestAvatarId(TIM)), b"tim")

    def test_nobody(self) -> None:
        """Who is unknown to all is refused."""
        checker = FirstOf([_Checker({}), _Checker({})])
        self.failureResultOf(checker.requestAvatarId(TIM), UnauthorizedLogin)

    def test_trouble(self) -> None:
        """One that cannot answer keeps out only whom no other knows, and then says why."""
        checker = FirstOf([_Checker(trouble=StoreUnavailable("down")), _Checker()])
        self.assertEqual(self.successResultOf(checker.requestAvatarId(TIM)), b"tim")
        self.failureResultOf(checker.requestAvatarId(WRONG), StoreUnavailable)


class ThrottleTests(SynchronousTestCase):
    """`ThrottlingChecker`: guessing takes longer and longer."""

    def setUp(self) -> None:
        """Over a checker that remembers, on a clock of its own."""
        self.clock = Clock()
        self.inner = _Checker()
        self.throttle = Throttle(self.clock.seconds, 15.0, 100)
        remembering = RememberingChecker(self.inner, self.clock.seconds)
        self.checker = ThrottlingChecker(remembering, self.clock, self.throttle)

    def _wait(self, credentials: Any) -> float:
        """How long the answer takes, whatever it is."""
        start = self.clock.seconds()
        asked = self.checker.requestAvatarId(credentials)
        done: list[object] = []
        asked.addBoth(done.append)
        while not done:
            self.clock.advance(0.5)
        return self.clock.seconds() - start

    def _guesses(self, count: int, user: bytes = b"tim", peer: str | None = None) -> list[float]:
        return [
            self._wait(PeerPassword(user, b"guess %d" % number, peer)) for number in range(count)
        ]

    def test_provides(self) -> None:
        """It is a checker."""
        self.assertTrue(verifyObject(ICredentialsChecker, self.checker))

    def test_user(self) -> None:
        """Three mistakes are free; then each costs twice the one before, up to five seconds."""
        self.assertEqual(self._guesses(8), [0, 0, 0, 1, 2, 4, 5, 5])

    def test_peer(self) -> None:
        """One address that tries many users waits up to the longest delay."""
        waits = [self._guesses(1, b"u%d" % number, "192.0.2.1")[0] for number in range(9)]
        self.assertEqual(waits, [0, 0, 0, 1, 2, 4, 8, 15, 15])

    def test_several_processes(self) -> None:
        """Guesses are counted wherever they come in; the same wrong one again, anywhere, is one."""
        other = Throttle(self.clock.seconds, 15.0, 100)
        self.throttle.tell_others = other.told
        secret = b"of both"
        here = ThrottlingChecker(self.inner, self.clock, self.throttle, secret)
        self.checker = here
        self._guesses(3)
        for _ in range(3):
            self._wait(PeerPassword(b"ann", b"old", None))
        self.checker = ThrottlingChecker(self.inner, self.clock, other, secret)
        self.assertEqual(self._guesses(2, b"tim"), [1, 1])
        self.assertEqual(self._wait(PeerPassword(b"tim", b"another", None)), 1)
        self.assertEqual(self._guesses(3, b"ann"), [0, 0, 1])

    def test_right_waits_too(self) -> None:
        """The right password is answered no sooner than a wrong one."""
        self._guesses(5)
        self.assertEqual(self._wait(TIM), 4)

    def test_success_forgives_nothing(self) -> None:
        """Logging in between guesses does not make them free."""
        self._guesses(4, b"victim", "192.0.2.1")
        self._wait(PeerPassword(b"tim", b"secret", "192.0.2.1"))
        self.assertEqual(self._guesses(6, b"victim", "192.0.2.1")[-1], 4)

    def test_owner_comes_in(self) -> None:
        """Who logged in a moment ago does not suffer from others who guess the name."""
        self._wait(TIM)
        self._guesses(6, peer="192.0.2.1")
        self.assertEqual(self._wait(PeerPassword(b"tim", b"secret", "198.51.100.1")), 0)

    def test_guesser_learns_nothing(self) -> None:
        """The guesser's own address waits even when the password was right a moment ago."""
        self._wait(TIM)
        self._guesses(5, peer="192.0.2.1")
        self.assertEqual(self._wait(PeerPassword(b"tim", b"secret", "192.0.2.1")), 4)

    def test_composed(self) -> None:
        """A name is guessed at by whatever composition of its accents."""
        names = ["Ju\u0308rgen", "J\u00fcrgen"] * 2
        waits = [
            self._wait(UsernamePassword(name.encode(), b"%d" % number))
            for number, name in enumerate(names)
        ]
        self.assertEqual(waits, [0, 0, 0, 1])

    def test_same_mistake(self) -> None:
        """A program with an old password, trying again and again, is slowed down only once."""
        self.assertEqual([self._wait(WRONG) for _ in range(10)], [0] * 10)

    def test_time_forgives(self) -> None:
        """A quarter of an hour after the last mistake all is well."""
        self._guesses(6)
        self.clock.advance(900)
        self.assertEqual(self._guesses(4), [0, 0, 0, 1])

    def test_at_once(self) -> None:
        """Many guesses at the same time are no way round: all but the first wait."""
        self.inner.later = []
        for number in range(20):
            self.checker.requestAvatarId(UsernamePassword(b"tim", b"%d" % number)).addErrback(
                lambda _: None
            )
        self.assertEqual(self.inner.asked, 13)

    def test_trouble_does_not_count(self) -> None:
        """When passwords cannot be checked nobody is held to have guessed."""
        self.inner.trouble = StoreUnavailable("down")
        self.assertEqual(self._guesses(10), [0] * 10)
        self.assertEqual(len(self.throttle._records), 0)

    def test_cancelled(self) -> None:
        """Who hangs up while waiting leaves nothing behind."""
        self._guesses(5)
        asked = self.checker.requestAvatarId(TIM)
        asked.cancel()
        self.failureResultOf(asked)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.throttle._records["user tim"].pending, 0)

    def test_bounded(self) -> None:
        """However many names are tried, only so many are kept in mind."""
        for number in range(300):
            self._guesses(1, b"u%d" % number)
        self.assertEqual(len(self.throttle._records), 100)

    def test_switched_off(self) -> None:
        """With a longest delay of 0 nobody waits."""
        self.throttle.longest = 0.0
        self.assertEqual(self._guesses(9, peer="192.0.2.1"), [0] * 9)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("local", None),
        (None, None),
    ],
)
def test_network(peer: str | None, expected: str | None) -> None:
    """What counts as one address: an IPv6 network does, this machine does not."""
    assert network(peer) == expected


def test_from_peer() -> None:
    """Credentials are given their peer, and are checked as before."""
    credentials: Any = from_peer(TIM, "192.0.2.1")
    assert verifyObject(IUsernamePassword, credentials)
    assert verifyObject(IFromPeer, credentials)
    assert credentials.peer == "192.0.2.1"
    assert credentials.checkPassword(b"secret")
    assert not credentials.checkPassword(b"other")
    assert "secret" not in repr(credentials)


class StaticTests(SynchronousTestCase):
    """`static:PASSWORD`."""

    def test_any_user(self) -> None:
        """Any user name comes in with the one password, and only with it."""
        checker = makeChecker("static:test:pass")  # type: ignore[no-untyped-call]
        asked = checker.requestAvatarId(UsernamePassword(b"anybody", b"test:pass"))
        self.assertEqual(self.successResultOf(asked), b"anybody")
        asked = checker.requestAvatarId(UsernamePassword(b"anybody", b"test"))
        self.failureResultOf(asked, UnauthorizedLogin)

    def test_marked(self) -> None:
        """It says that it is for this machine only."""
        self.assertTrue(ILoopbackOnly.providedBy(open_checker("static:x")))

    def test_no_password(self) -> None:
        """An empty password is no password."""
        with pytest.raises(UnknownChecker, match="write static:PASSWORD"):
            open_checker("static:")


def test_plugins() -> None:
    """Both checkers are found by their names, with help for each."""
    ours = {
        plugin.authType: plugin
        for plugin in getPlugins(ICheckerFactory)
        if type(plugin).__module__.startswith("imapd.")
    }
    assert sorted(ours) == ["passwords", "static"]
    for plugin in ours.values():
        assert verifyObject(ICheckerFactory, plugin)
        assert plugin.authHelp
        assert plugin.argStringFormat


def test_unknown_checker() -> None:
    """A name that is no checker is refused with those there are."""
    with pytest.raises(UnknownChecker) as caught:
        open_checker("password:x")
    assert str(caught.value).startswith("no checker of passwords is called 'password'; there are ")
    assert "passwords" in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    """A password file that is not there is refused at the start, with the command that makes it."""
    with pytest.raises(UnknownChecker) as caught:
        open_checker(f"passwords:{tmp_path}/none")
    assert str(caught.value) == (
        f"{tmp_path}/none: there is no such file;"
        f" `imapd user --file {tmp_path}/none add NAME` makes it"
    )


def test_twisted_checker() -> None:
    """Twisted's own checkers can be named too."""
    checker = open_checker("memory:tim:secret")
    assert IUsernamePassword in checker.credentialInterfaces
