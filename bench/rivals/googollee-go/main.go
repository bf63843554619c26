// googollee/go-socket.io on net/http: the application of app.py and app.mjs, in Go. Takes the port.
package main

import (
	"log"
	"net/http"
	"os"

	socketio "github.com/googollee/go-socket.io"
)

func main() {
	server := socketio.NewServer(nil)
	server.OnConnect("/", func(client socketio.Conn) error {
		client.Join("all")
		return nil
	})
	server.OnEvent("/", "echo", func(client socketio.Conn, data string) { client.Emit("echo", data) })
	server.OnEvent("/", "ack", func(client socketio.Conn, data string) string { return data })
	server.OnEvent("/", "fan", func(client socketio.Conn, data string) {
		server.BroadcastToRoom("/", "all", "fan", data)
	})
	server.OnError("/", func(client socketio.Conn, err error) {})
	go func() { log.Fatal(server.Serve()) }()
	http.Handle("/socket.io/", server)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
