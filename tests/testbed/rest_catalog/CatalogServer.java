package org.apache.iceberg.rest; // where the classes of Iceberg's test fixtures can be reached

import java.io.File;
import java.util.HashMap;
import java.util.Map;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.Files;
import org.apache.iceberg.catalog.Catalog;
import org.apache.iceberg.io.FileIO;
import org.apache.iceberg.io.InputFile;
import org.apache.iceberg.io.OutputFile;
import org.apache.iceberg.io.PositionOutputStream;
import org.apache.iceberg.io.SeekableInputStream;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Iceberg's REST catalog adapter over a JdbcCatalog, on loopback only (the fixtures' own server
 * listens on every interface). Arguments: the port, then catalog properties as key=value.
 */
public class CatalogServer {
  public static void main(String[] arguments) throws Exception {
    Map<String, String> properties = new HashMap<>();
    for (int i = 1; i < arguments.length; i++) {
      String[] pair = arguments[i].split("=", 2);
      properties.put(pair[0], pair[1]);
    }
    properties.put("catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog");
    properties.put("io-impl", DiskFileIO.class.getName());
    Catalog catalog = CatalogUtil.buildIcebergCatalog("lake", properties, null);
    RESTCatalogServer.CatalogContext context =
        new RESTCatalogServer.CatalogContext(catalog, properties);
    ServletContextHandler handler = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
    handler.addServlet(
        new ServletHolder(new RESTCatalogServlet(new RESTServerCatalogAdapter(context))), "/*");
    Server server = new Server();
    HttpConfiguration http = new HttpConfiguration();
    http.setUriCompliance(UriCompliance.UNSAFE); // or an escaped '%' in a table's name is refused
    ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(arguments[0]));
    server.addConnector(connector);
    server.setHandler(handler);
    server.start();
    server.join();
  }

  /**
   * Files on the local disk under their URIs, file:/path and file:///path. With the property
   * s3-directory also s3://bucket/key: the folder in which versitygw keeps its buckets.
   */
  public static class DiskFileIO implements FileIO {
    private String s3Directory;

    @Override
    public void initialize(Map<String, String> properties) {
      s3Directory = properties.get("s3-directory");
    }

    private File file(String location) {
      if (location.startsWith("file:")) {
        return new File(location.substring("file:".length()));
      }
      if (location.startsWith("s3://") && s3Directory != null) {
        return new File(s3Directory, location.substring("s3://".length()));
      }
      throw new IllegalArgumentException("not a location that is served here: " + location);
    }

    @Override
    public InputFile newInputFile(String location) {
      InputFile input = Files.localInput(file(location));
      return new InputFile() {
        @Override
        public long getLength() {
          return input.getLength();
        }

        @Override
        public SeekableInputStream newStream() {
          return input.newStream();
        }

        @Override
        public String location() {
          return location;
        }

        @Override
        public boolean exists() {
          return input.exists();
        }
      };
    }

    @Override
    public OutputFile newOutputFile(String location) {
      OutputFile output = Files.localOutput(file(location));
      return new OutputFile() {
        @Override
        public PositionOutputStream create() {
          return output.create();
        }

        @Override
        public PositionOutputStream createOrOverwrite() {
          return output.createOrOverwrite();
        }

        @Override
        public String location() {
          return location;
        }

        @Override
        public InputFile toInputFile() {
          return newInputFile(location);
        }
      };
    }

    @Override
    public void deleteFile(String location) {
      if (!file(location).delete()) {
        throw new IllegalStateException("cannot delete " + location);
      }
    }
  }
}
