"""Who may come in: exchanges (sans-IO), checkers, and the realm that opens accounts."""
