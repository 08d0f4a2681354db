"""Mail coming in from what transports it: LMTP (RFC 2033) and `imapd deliver`."""
