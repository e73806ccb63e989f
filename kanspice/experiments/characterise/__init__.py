"""What an operational amplifier does, measured, and what kanspice's technologies say of it."""
