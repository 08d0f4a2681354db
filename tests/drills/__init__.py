"""Crash drills: the real server, loaded, killed with -9, started again, and looked through.

``make drill`` runs hundreds of rounds; a short form is among the normal tests.
"""
