package io.github.arka;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** The way to a server. While it is not open it takes connections all the same, and says nothing or closes them. */
final class Gate implements AutoCloseable {
  enum State { OPEN, SILENT, SHUT }

  volatile State state = State.OPEN;
  final BlockingQueue<Socket> sentAway = new LinkedBlockingQueue<>(); // what came while it was not open
  private final ServerSocket port = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final BlockingQueue<Socket> sockets = new LinkedBlockingQueue<>();
  private final int target;

  Gate(FakeServer server) throws IOException {
    target = server.port();
    start(() -> {
      while (true) {
        take(port.accept());
      }
    });
  }

  String url() {
    return "grpc://127.0.0.1:" + port.getLocalPort();
  }

  /** Ends what goes through it now. */
  void cut() throws IOException {
    for (Socket socket; (socket = sockets.poll()) != null;) {
      socket.close();
    }
  }

  private void take(Socket from) throws IOException {
    sockets.add(from);
    if (state == State.OPEN) {
      Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
      sockets.add(to);
      start(() -> pass(from, to));
      start(() -> pass(to, from));
      return;
    }
    if (state == State.SHUT) {
      from.close();
    }
    sentAway.add(from);
  }

  private static void pass(Socket from, Socket to) throws IOException {
    byte[] bytes = new byte[1 << 16];
    try (InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
      for (int count; (count = in.read(bytes)) >= 0;) {
        out.write(bytes, 0, count);
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (IOException e) {
        // It is closed, by either side.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    port.close();
    cut();
  }
}
