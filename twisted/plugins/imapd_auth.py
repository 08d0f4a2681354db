from imapd.auth.maker import CheckerMaker

passwords = CheckerMaker(
    "passwords",
    "FILE",
    "A file of users and Argon2 hashes, name:hash a line, kept by `imapd user`.\n"
    "It is read again when it has changed.",
    "imapd.auth.passwords.open_passwords",
)
static = CheckerMaker(
    "static",
    "PASSWORD",
    "Any user name with this one password: to try the server on this machine.\n"
    "The server refuses to start when it can be reached from others.",
    "imapd.auth.static.open_static",
)
