"""What watching a server may cost, whatever the number of its clients.

May import: nothing. What is beyond a limit is dropped and counted, told later, or shown as a sample: docs/admin-ui.md.
"""

# Events received and sent that admins hear of in one second, and the bytes of them.
EVENTS_PER_SECOND = 500
EVENT_BYTES_PER_SECOND = 1_048_576
# Sockets that come and go, and rooms entered and left, that admins hear of in one second.
CHANGES_PER_SECOND = 1_000
# Departures beyond that, which wait for the next reports, since a page never forgets a socket by itself.
LATE_DEPARTURES = 10_000
LATE_DEPARTURES_PER_REPORT = 1_000
# Sockets in `all_sockets`: a sample of each namespace when there are more.
ALL_SOCKETS = 500
# Sockets announced again with each report. Each is announced once in `ping_interval` as long as this is enough.
ANNOUNCEMENTS_PER_REPORT = 100
# Rooms in one description, and namespaces in one report.
ROOMS_SHOWN = 100
NAMESPACES_SHOWN = 200
# What waits to be published to the other processes of a cluster.
CLUSTER_BACKLOG = 1_000
