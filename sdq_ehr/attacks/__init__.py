"""Privacy attacks on health records: each module one attack, simulated with known members."""
