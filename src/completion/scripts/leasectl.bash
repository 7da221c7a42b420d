# Completion of leasectl for bash, 3.2 or later.

_leasectl() {
  COMPREPLY=()
  local kind= word
  while IFS= read -r word; do
    if [[ -z $kind ]]; then kind=$word; else COMPREPLY[${#COMPREPLY[@]}]=$word; fi
  done < <(command leasectl __complete bash "${COMP_LINE:0:$COMP_POINT}" "$2" 2>/dev/null)
  case $kind in
    files) _leasectl_option default && COMPREPLY=() ;;
    paths) [[ ${#COMPREPLY[@]} == 1 && $COMPREPLY == */ ]] && _leasectl_option nospace ;;
    command) _leasectl_command "$2" ;;
  esac
}

# The bash of macOS is too old for this.
_leasectl_option() {
  [[ $(type -t compopt) == builtin ]] && compopt -o "$1"
}

# The command that follows --, as the shell completes it.
_leasectl_command() {
  local start=1 word
  while [[ ${COMP_WORDS[start]} != -- ]]; do
    ((++start <= COMP_CWORD)) || return
  done
  ((++start))
  if [[ $(type -t _comp_command_offset) == function ]]; then
    _comp_command_offset "$start"
  elif [[ $(type -t _command_offset) == function ]]; then
    _command_offset "$start"
  elif ((start == COMP_CWORD)) && [[ $1 != */* ]]; then
    while IFS= read -r word; do
      printf -v word %q "$word"
      COMPREPLY[${#COMPREPLY[@]}]=$word
    done < <(compgen -c -- "$1")
  else
    _leasectl_option default
  fi
}

complete -F _leasectl leasectl
