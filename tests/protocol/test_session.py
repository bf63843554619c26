"""Conversations of one session, whatever transports it uses: delivery, upgrade, every way to end."""

import gc

import pytest

from fastsio.engine import reasons


class TestPolling:
    def test_handshake(self, server):
        session, _, call = server.connect()
        assert call.body.startswith(b'0{"sid":"' + session.sid.encode())
        assert b'"upgrades":["websocket"]' in call.body

    def test_messages_come_and_go(self, server):
        session, sink, _ = server.connect()
        assert server.post(session, "4hello\x1e4world").body == b"ok"
        assert sink.heard == ["hello", "world"]
        session.send_message("a")
        session.send_message(b"\x01\x02\x03\x04")
        assert server.poll(session).body == b"4a\x1ebAQIDBA=="

    def test_a_poll_waits_until_something_is_owed(self, server):
        session, _, _ = server.connect()
        poll = server.poll(session)
        assert poll.response is None
        session.send_message("late")
        server.loop.turn()
        assert poll.body == b"4late"

    @pytest.mark.threat("T063")
    def test_two_polls_at_once_end_the_session(self, server):
        session, sink, _ = server.connect()
        first = server.poll(session)
        second = server.poll(session)
        assert (first.body, second.response.status) == (b"1", 400)
        assert sink.reasons == [reasons.TRANSPORT_ERROR]
        assert server.poll(session).response.status == 400

    @pytest.mark.parametrize("body", ["", "abc", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "bA", "b*bad*", "2", "7x"])
    @pytest.mark.threat("T067", "T068", "T071", "T077")
    def test_a_bad_body_ends_the_session_and_delivers_nothing(self, server, body):
        session, sink, _ = server.connect()
        poll = server.poll(session)
        assert server.post(session, body).response.status == 400
        assert poll.body == b"1"
        assert (sink.heard, sink.reasons) == ([], [reasons.TRANSPORT_ERROR])

    def test_framing_is_checked_before_anything_is_delivered(self, server):
        session, sink, _ = server.connect()
        server.post(session, "4good\x1e9bad")
        assert sink.heard == []

    @pytest.mark.threat("T075")
    def test_more_packets_than_the_limit_are_refused_whole(self, server):
        session, sink, _ = server.connect()
        server.options.packet_limit = lambda: 16
        assert server.post(session, "\x1e".join(["4a"] * 16)).body == b"ok"
        assert server.post(session, "\x1e".join(["4a"] * 17)).response.status == 400
        assert len(sink.heard) == 16

    @pytest.mark.threat("T200")
    def test_a_long_body_is_taken_in_slices_and_in_order(self, server):
        session, sink, _ = server.connect()
        assert server.post(session, "\x1e".join(f"4{i}" for i in range(5000))).body == b"ok"
        assert sink.heard == [str(i) for i in range(5000)]

    @pytest.mark.threat("T032")
    def test_a_body_over_the_limit_is_refused_on_its_head(self, server):
        session, sink, _ = server.connect()
        server.options.max_http_buffer_size = 10
        assert server.post(session, "4" + "a" * 10).response.status == 400
        assert sink.reasons == [reasons.TRANSPORT_ERROR]

    @pytest.mark.threat("T102")
    def test_a_big_backlog_goes_out_in_several_polls_in_order(self, server):
        session, _, _ = server.connect()
        server.options.max_poll_response = 1000
        for i in range(10):
            session.send_message(f"{i}" + "x" * 300)
        got = []
        while session.has_backlog:
            body = server.poll(session).body
            assert len(body) <= 1100
            got += body.split(b"\x1e")
        assert [item[1:2] for item in got] == [str(i).encode() for i in range(10)]


class TestRevision3:
    def test_polling_bodies_have_lengths(self, server):
        session, sink, call = server.connect(eio=3, b64="1")
        length, _, rest = call.body.partition(b":")
        assert int(length) == len(rest.decode())
        server.post(session, "6:4hello3:4😀10:b4AQIDBA==")
        assert sink.heard == ["hello", "😀", b"\x01\x02\x03\x04"]
        session.send_message("😀")
        session.send_message(b"\x01\x02\x03\x04")
        assert server.poll(session).body == "3:4😀10:b4AQIDBA==".encode()

    def test_binary_makes_the_body_binary(self, server):
        session, _, _ = server.connect(eio=3)
        session.send_message("€")
        session.send_message(b"\x01\x02\x03\x04")
        poll = server.poll(session)
        assert poll.response.content_type == "application/octet-stream"
        assert poll.body == bytes.fromhex("0004ff34e282ac0105ff0401020304")

    def test_the_client_pings(self, server):
        session, _, _ = server.connect(eio=3)
        server.post(session, "1:2")
        assert server.poll(session).body == b"1:3"

    @pytest.mark.threat("T058")
    def test_another_revision_is_refused(self, server):
        session, sink, _ = server.connect(eio=3)
        assert server.request(sid=session.sid, eio=4).response.status == 400
        assert session.is_live


class TestWebSocket:
    def test_messages_come_and_go(self, server):
        session, sink, call = server.connect(upgrade=True)
        call.link.receive("4hello")
        call.link.receive(b"\x01")
        session.send_message("back")
        session.send_message(b"\x02")
        server.loop.turn()
        assert sink.heard == ["hello", b"\x01"]
        assert call.link.sent[1:] == ["4back", b"\x02"]

    def test_revision_3_marks_binary(self, server):
        session, sink, call = server.connect(upgrade=True, eio=3)
        call.link.receive(b"\x04\x01")
        session.send_message(b"\x02")
        server.loop.turn()
        assert sink.heard == [b"\x01"]
        assert call.link.sent[-1] == b"\x04\x02"

    @pytest.mark.parametrize("message", ["", "9", "abc", "2", "2probe", "b*"])
    def test_a_bad_packet_closes_without_a_code(self, server, message):
        session, sink, call = server.connect(upgrade=True)
        call.link.receive(message)
        assert (call.link.close_code, sink.reasons) == (1005, [reasons.TRANSPORT_ERROR])

    @pytest.mark.threat("T070")
    def test_the_peer_closes(self, server):
        _, sink, call = server.connect(upgrade=True)
        call.link.receive("1")
        assert sink.reasons == [reasons.CLIENT_DISCONNECT]

    def test_the_connection_is_lost(self, server):
        session, sink, call = server.connect(upgrade=True)
        call.link.disconnected()
        call.link.disconnected()
        assert sink.reasons == [reasons.TRANSPORT_CLOSE]
        assert session.sid not in server.registry.sessions

    def test_we_close(self, server):
        session, sink, call = server.connect(upgrade=True)
        session.send_message("last words")
        session.disconnect()
        assert call.link.sent[-2:] == ["4last words", "1"]
        assert (call.link.close_code, sink.reasons) == (1000, [reasons.SERVER_DISCONNECT])

    def test_a_handler_may_close_its_own_session(self, server):
        session, sink, call = server.connect(upgrade=True)
        sink.on_message = lambda data: session.disconnect()
        call.link.receive("4a")
        call.link.receive("4b")
        assert sink.heard == ["a"]
        assert sink.reasons == [reasons.SERVER_DISCONNECT]


class TestUpgrade:
    def probe(self, server, session):
        link = server.request(sid=session.sid, upgrade=True).link
        link.receive("2probe")
        return link

    @pytest.mark.threat("T094")
    def test_nothing_is_lost_doubled_or_reordered(self, server):
        session, _, _ = server.connect()
        session.send_message("1")
        link = self.probe(server, session)
        assert link.sent == ["3probe"]
        session.send_message("2")
        assert server.poll(session).body == b"41\x1e42"
        session.send_message("3")
        link.receive("5")
        session.send_message("4")
        server.loop.turn()
        assert link.sent == ["3probe", "43", "44"]
        assert session.transport == "websocket"

    @pytest.mark.threat("T093")
    def test_a_waiting_poll_is_freed_by_the_probe(self, server):
        session, _, _ = server.connect()
        poll = server.poll(session)
        self.probe(server, session)
        assert poll.body == b"6"
        assert [server.poll(session).body for _ in range(3)] == [b"6"] * 3

    def test_posts_still_work_while_probing(self, server):
        session, sink, _ = server.connect()
        self.probe(server, session)
        assert server.post(session, "4a").body == b"ok"
        assert sink.heard == ["a"]

    @pytest.mark.parametrize("first", ["5", "4a", "2", "", "9", "abc"])
    @pytest.mark.threat("T088", "T089")
    def test_a_wrong_first_packet_closes_only_the_websocket(self, server, first):
        session, sink, _ = server.connect()
        link = server.request(sid=session.sid, upgrade=True).link
        link.receive(first)
        assert (link.close_code, sink.reasons) == (1005, [])
        assert server.post(session, "4a").body == b"ok"
        assert self.probe(server, session).sent == ["3probe"]

    @pytest.mark.threat("T095")
    def test_a_lost_probe_leaves_polling_as_it_was(self, server):
        session, _, _ = server.connect()
        self.probe(server, session).disconnected()
        poll = server.poll(session)
        assert poll.response is None
        session.send_message("a")
        server.loop.turn()
        assert poll.body == b"4a"

    @pytest.mark.threat("T091")
    def test_a_second_websocket_is_closed_and_the_first_unharmed(self, server):
        session, sink, _ = server.connect()
        first = self.probe(server, session)
        second = server.request(sid=session.sid, upgrade=True).link
        assert second.close_code == 1005
        first.receive("5")
        third = server.request(sid=session.sid, upgrade=True).link
        assert third.close_code == 1005
        first.receive("4a")
        assert sink.heard == ["a"]

    @pytest.mark.threat("T059")
    def test_polling_is_over_after_the_switch(self, server):
        session, sink, _ = server.connect()
        self.probe(server, session).receive("5")
        assert server.poll(session).response.status == 400
        assert server.post(session, "4a").response.status == 400
        assert (session.is_live, sink.heard) == (True, [])

    @pytest.mark.threat("T096")
    def test_closing_while_probing_closes_both(self, server):
        session, sink, _ = server.connect()
        link = self.probe(server, session)
        poll = server.poll(session)
        session.disconnect()
        assert (link.close_code, poll.body) == (1005, b"6")
        assert sink.reasons == [reasons.SERVER_DISCONNECT]


class TestEnds:
    def test_a_client_that_posts_close_gets_its_poll_back(self, server):
        session, sink, _ = server.connect()
        poll = server.poll(session)
        assert server.post(session, "1").body == b"ok"
        assert (poll.body, sink.reasons) == (b"6", [reasons.CLIENT_DISCONNECT])

    def test_we_close_a_waiting_poll(self, server):
        session, sink, _ = server.connect()
        poll = server.poll(session)
        session.disconnect()
        assert (poll.body, sink.reasons) == (b"1", [reasons.SERVER_DISCONNECT])

    def test_a_client_between_two_polls_hears_of_the_end_with_the_next(self, server):
        session, sink, _ = server.connect()
        session.send_message("last")
        session.disconnect()
        assert sink.reasons == [reasons.SERVER_DISCONNECT]
        assert server.poll(session).body == b"4last\x1e1"
        assert server.poll(session).response.status == 400

    @pytest.mark.threat("T065")
    def test_a_lost_poll_is_noticed(self, server):
        from fastsio.engine import _polling

        session, sink, _ = server.connect()
        poll = server.poll(session)
        _polling.poll_lost(session, poll)
        assert sink.reasons == [reasons.TRANSPORT_ERROR]

    @pytest.mark.threat("T186")
    def test_a_slow_client_is_cut_and_only_then(self, server):
        session, sink, _ = server.connect()
        server.options.max_send_buffer = 1000
        session.send_message("x" * 5000)  # one large message to a healthy client is never too much
        server.loop.turn()
        assert session.is_live
        session.send_message("y")
        server.loop.turn()
        assert sink.reasons == [reasons.SLOW_CLIENT]

    def test_packets_count_too(self, server):
        session, sink, _ = server.connect()
        server.options.max_send_packets = 3
        for _ in range(5):
            session.send_message("a")
        server.loop.turn()
        assert sink.reasons == [reasons.SLOW_CLIENT]

    @pytest.mark.threat("T132")
    def test_nothing_is_owed_to_a_closed_session(self, server):
        session, _, call = server.connect(upgrade=True)
        session.disconnect()
        sent = list(call.link.sent)
        session.send_message("ghost")
        server.loop.turn()
        assert call.link.sent == sent


class TestFinalizers:
    """Python 3.11 collects garbage in the middle of making a list: also of one in which messages wait."""

    @pytest.mark.parametrize("allocation", range(6))
    @pytest.mark.parametrize("waiting", [1, 2])
    @pytest.mark.parametrize("how", ["push", "flush", "poll"])
    def test_what_a_finalizer_sends_costs_nothing_else(self, server, collected, how, waiting, allocation):
        session, _, call = server.connect(upgrade=how != "poll")
        heard = call.link.sent if call.link else []
        heard.clear()
        traffic = server.registry.traffic
        bytes_out, packets_out = traffic.bytes_out, traffic.packets_out
        for number in range(waiting):
            session.send_message(str(number))
        collected(allocation, lambda: session.send_message("finalizer"))
        if how == "push":
            session.send_message("pushed")
        server.loop.turn()
        gc.collect()
        server.loop.turn()
        while how == "poll" and session.has_backlog:
            heard += server.poll(session).body.decode().split("\x1e")
        expected = ["4" + str(number) for number in range(waiting)] + ["4pushed"] * (how == "push")
        assert [text for text in heard if text != "4finalizer"] == expected
        assert heard.count("4finalizer") == 1
        assert session.backlog == (0, 0)
        sent = (traffic.bytes_out - bytes_out, traffic.packets_out - packets_out)
        assert sent == (sum(map(len, heard)), len(heard))

    @pytest.mark.parametrize("allocation", range(8))
    @pytest.mark.parametrize("waiting", [1, 2])
    def test_a_finalizer_that_ends_the_session_while_a_poll_is_answered(self, server, collected, waiting, allocation):
        session, _, _ = server.connect()
        poll = server.poll(session)
        for number in range(waiting):
            session.send_message(str(number))
        collected(allocation, session.disconnect)
        server.loop.turn()
        gc.collect()
        server.loop.turn()
        heard = poll.body.decode().split("\x1e")
        if heard[-1] != "1":
            heard += server.poll(session).body.decode().split("\x1e")
        assert heard == [f"4{number}" for number in range(waiting)] + ["1"]
