# SPDX-License-Identifier: GPL-2.0-only
# The interactive machine (make run).
. /lib/test.sh
PS1='fi:\w# '
cat <<END

  Two network cards are joined by a cable inside this machine:
    eth0, driver under test e1000, stays here; eth1 (e1000e) is the peer.
  net_up          loads both drivers and connects them ($A, $B)
  xfer get $B $PORT 64     a checked TCP download;  flood $B 5   ping flood
  in_peer CMD     runs CMD on the peer's side
  fictl --help    driver fault isolation, if this kernel has it
  exit            powers off

END
