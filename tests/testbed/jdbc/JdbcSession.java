import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Properties;
import java.util.StringJoiner;

/**
 * One JDBC connection to the port that is the first argument, with the properties (name=value) that
 * are the others, driven line by line: words with tabs between them come in, rows with tabs between
 * their values go out, then a line "." or "! message". Where there is no connection, the answer to the
 * first line says why.
 */
public final class JdbcSession {
  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.put("useEncryption", "false");
    for (int i = 1; i < arguments.length; ++i) {
      String[] property = arguments[i].split("=", 2);
      properties.put(property[0], property[1]);
    }
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String url = "jdbc:arrow-flight-sql://127.0.0.1:" + arguments[0];
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        try {
          run(connection, line.split("\t", -1));
          System.out.println(".");
        } catch (Exception error) {
          printError(error);
        }
        System.out.flush();
      }
    } catch (SQLException error) {
      input.readLine();
      printError(error);
    }
  }

  private static void printError(Exception error) {
    System.out.println("! " + String.valueOf(error.getMessage()).replace('\n', ' '));
  }

  private static void run(Connection connection, String[] words) throws SQLException {
    DatabaseMetaData data = connection.getMetaData();
    switch (words[0]) {
      case "query":
        try (Statement statement = connection.createStatement()) {
          print(statement.executeQuery(words[1]));
        }
        break;
      case "update":
        try (Statement statement = connection.createStatement()) {
          System.out.println(statement.executeUpdate(words[1]));
        }
        break;
      case "prepared":
        try (PreparedStatement statement = connection.prepareStatement(words[1])) {
          bind(statement, words);
          print(statement.executeQuery());
        }
        break;
      case "prepared_update":
        try (PreparedStatement statement = connection.prepareStatement(words[1])) {
          bind(statement, words);
          System.out.println(statement.executeUpdate());
        }
        break;
      case "product":
        System.out.println(data.getDatabaseProductName());
        break;
      case "catalogs":
        print(data.getCatalogs());
        break;
      case "schemas":
        print(data.getSchemas());
        break;
      case "table_types":
        print(data.getTableTypes());
        break;
      case "tables":
        print(data.getTables(null, words[1], words[2], new String[] {"TABLE"}), 1, 2, 3, 4);
        break;
      case "columns":
        print(data.getColumns(null, words[1], words[2], "%"), 3, 4, 5, 6);
        break;
      case "types":
        print(data.getTypeInfo());
        break;
      case "primary_keys":
        print(data.getPrimaryKeys(null, words[1], words[2]));
        break;
      default:
        throw new SQLException("no command " + words[0]);
    }
  }

  /** Whole numbers as long, the rest as text. */
  private static void bind(PreparedStatement statement, String[] words) throws SQLException {
    for (int i = 2; i < words.length; ++i) {
      if (words[i].matches("-?[0-9]+")) {
        statement.setLong(i - 1, Long.parseLong(words[i]));
      } else {
        statement.setString(i - 1, words[i]);
      }
    }
  }

  private static void print(ResultSet rows, int... columns) throws SQLException {
    int[] all = new int[rows.getMetaData().getColumnCount()];
    Arrays.setAll(all, i -> i + 1);
    while (rows.next()) {
      StringJoiner line = new StringJoiner("\t");
      for (int column : columns.length == 0 ? all : columns) {
        line.add(String.valueOf(rows.getObject(column)));
      }
      System.out.println(line);
    }
  }
}
