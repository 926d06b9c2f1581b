# Well while it serves sessions: alone, or as a member of a quorum.
exec 3<>/dev/tcp/127.0.0.1/2181 || exit 1
printf 'srvr' >&3
grep -E '^Mode: (standalone|leader|follower)' <&3
