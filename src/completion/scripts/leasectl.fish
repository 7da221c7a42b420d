# Completion of leasectl for fish.

function __leasectl_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command leasectl __complete fish $tokens (string replace -ra '[\'"\\\\]' '' -- "$current") 2>/dev/null | string split0)
    set -l prefix $answer[2]
    switch "$answer[1]"
        case words
            # Elements that end with NUL: a word may be of several lines.
            string join0 -- $answer[3..-1]
        case files
            set -l length (string length -- "$prefix")
            string join0 -- $prefix(__fish_complete_path (string sub -s (math $length + 1) -- $current))
        case command
            set -l start (contains -i -- -- $tokens)
            set -l words (string escape -- $tokens[(math $start + 1)..-1])
            string join0 -- (complete -C (string join ' ' -- $words "$current"))
    end
end

complete -c leasectl -e
complete -c leasectl -f -a '(__leasectl_complete | string split0)'
