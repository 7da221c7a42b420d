# Work that a lease protects: it writes to a journal for as long as it lives, begins with "begin", and
# ends with "end" if it is let. In bash, because neither its clock nor its sleep starts a process.
#
# CHAOS_JOURNAL     the journal; each line is one write
# CHAOS_BY          who runs this
# CHAOS_WORK        how long it works, in seconds
# CHAOS_CODE        what it ends with
# CHAOS_CURTAIN     a file; when it is there all is over: the work is short, and ends with 0
# CHAOS_LINGER      a file; as long as it, or the same with -CHAOS_BY, is there, the work goes on
# CHAOS_STUBBORN    set: SIGTERM is ignored
# CHAOS_BACKGROUND  `waited` for: a second process works as well, and is taken along at the end;
#                   `left`: it is left behind
set -u
LC_ALL=C
id=${LEASECTL_KEY:-$LEASECTL_JOB_ID}
# Opened for reading and writing, so that reading from it waits until the time is over.
exec 9<> <(:)

note() {
  local what=$1 code=${2:--}
  printf '%s %s %s %s %s %s %s\n' "$what" "$id" "$LEASECTL_FENCING_TOKEN" \
    "${EPOCHREALTIME/./}" "$BASHPID" "$CHAOS_BY" "$code" >>"$CHAOS_JOURNAL"
}

lingers() {
  [[ -e $CHAOS_LINGER || -e $CHAOS_LINGER-$CHAOS_BY ]]
}

# Works until a moment, in microseconds.
work_until() {
  while ((${EPOCHREALTIME/./} < $1)); do
    read -rt 0.05 -u 9
    # When a test is over, and its directory gone, nothing works on.
    [[ -e $CHAOS_JOURNAL ]] || exit 1
    note tick
  done
}

[[ -z ${CHAOS_STUBBORN:-} ]] || trap '' TERM
note begin
if [[ -n ${CHAOS_BACKGROUND:-} ]]; then
  work_until 9000000000000000 &
fi
code=$CHAOS_CODE
seconds=$CHAOS_WORK
if [[ -e $CHAOS_CURTAIN ]]; then
  code=0
  seconds=0.100
fi
work_until $((${EPOCHREALTIME/./} + 10#${seconds/./} * 1000))
while lingers; do
  work_until $((${EPOCHREALTIME/./} + 50000))
done
if [[ ${CHAOS_BACKGROUND:-} == waited ]]; then
  kill -KILL $!
  wait $! 2>/dev/null
fi
note end "$code"
exit "$code"
