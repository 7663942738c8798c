"""Nothing that was acknowledged is ever lost: processes killed, power cut, bits flipped."""
