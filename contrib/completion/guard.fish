# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of guard(1) for fish. What there is to complete is asked of guard itself
# (`guard help --dump`), so this file knows no option by name.

function __guard_sinks
    printf '%s\n' - stderr journal syslog file: unix:
end

complete -c guard -f
for row in (guard help --dump 2>/dev/null)
    set -l field (string split \t -- $row)
    switch $field[1]
        case command
            complete -c guard -n __fish_use_subcommand -a $field[2] -d $field[3]
            complete -c guard -n '__fish_seen_subcommand_from help' -a $field[2]
        case option
            set -l words -c guard -n "__fish_seen_subcommand_from $field[2]" -d $field[7]
            set words $words -l (string sub -s 3 -- $field[3])
            test $field[4] != -; and set words $words -s (string sub -s 2 -- $field[4])
            if test $field[5] != -
                set words $words -r
                if test $field[6] != -
                    set words $words -a (string replace -a '|' ' ' -- $field[6])
                else
                    switch $field[5]
                        case POLICY FILE DIRECTORY
                            set words $words -F
                        case USER
                            set words $words -a '(__fish_complete_users)'
                        case GROUP
                            set words $words -a '(__fish_complete_groups)'
                        case SINK
                            set words $words -a '(__guard_sinks)'
                    end
                end
            end
            complete $words
    end
end
complete -c guard -n '__fish_seen_subcommand_from run; and contains -- -- (commandline -opc)' -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c guard -n '__fish_seen_subcommand_from check run' -F
