"""CA keys: certificates, their chains, revocation and signatures (contract, sign-in)."""
