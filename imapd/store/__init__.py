"""Where mail is kept: the contract of a store, and the stores that come with the server."""
