# bash completion for tocsinctl: commands, options, and names from the daemon.

_tocsinctl_names()
{
	# One name a line out of the API's JSON, without needing jq.
	tocsinctl --json "$1" 2>/dev/null |
		sed -n 's/^    "name": "\(.*\)",\{0,1\}$/\1/p'
}

_tocsinctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="status zones heard interfaces broadcasts page stop alarms trigger ack
		reset inhibit enable advance hold release mode walk-test inputs input outputs output messages tones sources music volume calls summons
		hangup accounts passwd token tokens lamps endpoints sip faults journal watch reload config schedules schedule next skip
		run calendars webhooks notify cap"
	local word command= words=

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case " ${commands//$'\n'/ } " in
		*[[:space:]]"$word"[[:space:]]*)
			command=$word
			break
			;;
		esac
	done
	case $prev in
	--message) words=$(_tocsinctl_names messages) ;;
	--alarm) words=$(_tocsinctl_names alarms) ;;
	--zone | --sound) words=$(_tocsinctl_names zones) ;;
	--input) words=$(_tocsinctl_names inputs) ;;
	--tone) words=$(_tocsinctl_names tones) ;;
	--priority) words="evacuate alert emergency urgent page bell music" ;;
	--scope) words="metrics view page alarms points schedules sound calls messages admin" ;;
	--for) words="30m 1h 2h 8h 1d" ;;
	-s | --socket | -o | --output | --pcap)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	*)
		case $command in
		'') words="$commands --json --socket --help --version" ;;
		page)
			words="$(_tocsinctl_names zones) --message --tone
				--text --voice --priority --repeat"
			;;
		messages)
			if [[ " ${COMP_WORDS[*]} " == *" upload "* &&
				$prev != upload ]]; then
				COMPREPLY=($(compgen -f -- "$cur"))
				return
			fi
			words="list show upload versions preview rollback
				delete --version --output --if-match
				$(_tocsinctl_names messages)"
			;;
		heard) words=$(_tocsinctl_names zones) ;;
		sip)
			words="trace --pcap $(tocsinctl --json sip trace \
				2>/dev/null |
				sed -n 's/^    "trace": "\(.*\)",$/\1/p')"
			;;
		trigger | ack | reset | enable | advance | hold | release) words=$(_tocsinctl_names alarms) ;;
		inhibit) words="$(_tocsinctl_names alarms) --for --until" ;;
		mode) words="auto --for --until $(tocsinctl --json mode 2>/dev/null |
			sed -n '/"modes"/,/]/s/^    "\(.*\)",\{0,1\}$/\1/p')" ;;
		walk-test)
			words="start stop report --alarm --zone --input --for
				--until --sound --message"
			;;
		input) words="$(_tocsinctl_names inputs) on off" ;;
		music) words="$(_tocsinctl_names music) start stop next" ;;
		output) words="$(_tocsinctl_names outputs) on off pulse --for" ;;
		inputs) words="--watch" ;;
		run) words=$(_tocsinctl_names schedules) ;;
		skip) words="$(_tocsinctl_names schedules) --count --until" ;;
		schedule)
			words="list add move day-type delete --at --from --to
				--priority --for $(_tocsinctl_names messages)
				$(_tocsinctl_names zones)
				$(_tocsinctl_names schedules)"
			;;
		next) words="--days --date --all" ;;
		token) words="--scope --zone --message --expires" ;;
		volume) words=$(_tocsinctl_names zones) ;;
		journal) words="--since --type --subject --limit --follow" ;;
		watch) words="--type" ;;
		esac
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -F _tocsinctl tocsinctl
