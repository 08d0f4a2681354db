"""An IMAP server on Twisted: complete, fast, embeddable."""
