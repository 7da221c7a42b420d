# For commands that run under a lease, in bash: neither its clock nor this wait starts a process.

# Opened for reading and writing, so that reading from it waits until the time is over.
exec 9<> <(:)

# Writes the time, in microseconds, to a file of this name, every 20 ms, for as long as it lives.
tick() {
  while :; do
    echo "${EPOCHREALTIME/./}" >>"$HOME/$1"
    nap 0.02
  done
}

# Signals are handled right after it.
nap() {
  read -rt "$1" -u 9
}
