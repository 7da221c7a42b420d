#compdef leasectl
# Completion of leasectl for zsh.

_leasectl() {
  local -a answer values shown
  local prefix
  # Fields that end with NUL: a word may be of several lines.
  answer=("${(@0)$(command leasectl __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  prefix=$answer[2]
  case $answer[1] in
    words)
      local index
      for ((index = 3; index < $#answer; index += 2)); do
        values+=("$answer[index]")
        shown+=("$answer[index+1]")
      done
      [[ -z $prefix ]] || compset -P "${(b)prefix}" || return 1
      _describe -t values leasectl shown values
      ;;
    files)
      [[ -z $prefix ]] || compset -P "${(b)prefix}" || return 1
      _files
      ;;
    command)
      local start=$words[(i)--]
      shift $start words
      ((CURRENT -= start))
      _normal
      ;;
    *) return 1 ;;
  esac
}

if [[ ${funcstack[1]} == _leasectl ]]; then
  _leasectl "$@"
else
  if ! (( $+functions[compdef] )); then
    autoload -Uz compinit
    compinit -i
  fi
  compdef _leasectl leasectl
fi
