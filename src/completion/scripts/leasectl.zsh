#compdef leasectl
# Completion of leasectl for zsh.

_leasectl() {
  local -a answer values names shown expl
  local prefix description
  local -i index width
  # Fields that end with NUL: a word may be of several lines.
  answer=("${(@0)$(command leasectl __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  prefix=$answer[2]
  case $answer[1] in
    words)
      for ((index = 3; index + 2 <= $#answer; index += 3)); do
        values+=("$answer[index]")
        names+=("$answer[index+1]")
        ((${(m)#names[-1]} <= width)) || width=${(m)#names[-1]}
      done
      ((width <= COLUMNS / 2)) || width=COLUMNS/2
      for ((index = 1; index <= $#names; index++)); do
        description=$answer[index*3+2]
        shown+=("${(mr:width:)names[index]}${description:+ -- $description}")
      done
      [[ -z $prefix ]] || compset -P "${(b)prefix}" || return 1
      _wanted values expl leasectl compadd -l -d shown -a -- values
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
