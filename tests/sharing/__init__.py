"""Tests of imapd.sharing."""
