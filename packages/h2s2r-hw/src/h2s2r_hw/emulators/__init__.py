"""A cell that is not there: an *emulated* KUKA cabinet and an *emulated* Allegro hand, byte by byte, on a laptop.

In:  the same FRI datagrams and CAN frames a real cell gets.   Out: those it would send.
Not here: anything a real cell needs. The server cannot tell, and does not import this.

All thresholds that KUKA or Wonik do not publish are configuration, and ours.
"""
