"""The other side, to try things on: a bank and a signature service that take an instruction and report later."""
