"""How sources fare: roll-ups of what arrived, rates and lag, alerts, retention of what came raw."""
