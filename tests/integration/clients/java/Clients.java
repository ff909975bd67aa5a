// The JDBC driver of PostgreSQL: connections beside each other. Each check is one line of JSON on standard output.

import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.*;
import java.time.OffsetDateTime;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.core.BaseConnection;

public class Clients {
  interface Check {
    void run() throws Exception;
  }

  static Connection open(String variable) throws SQLException {
    String url = System.getenv(variable).replaceFirst("^postgres://(.*)@(.*)$", "jdbc:postgresql://$2?user=$1");
    return DriverManager.getConnection(url);
  }

  static void report(String name, Check check) {
    String error = null;
    try {
      check.run();
    } catch (Throwable thrown) {
      error = thrown + " at " + Arrays.stream(thrown.getStackTrace()).filter(at -> at.getClassName().startsWith("Clients")).findFirst().orElse(null);
    }
    String told = error == null ? "" : ", \"error\": \"" + error.replaceAll("[\\\\\"\\n\\t]", " ") + "\"";
    System.out.println("{\"check\": \"" + name + "\", \"ok\": " + (error == null) + told + "}");
  }

  static Object value(Connection connection, String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int at = 0; at < parameters.length; at++) statement.setObject(at + 1, parameters[at]);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getObject(1);
      }
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static void equal(Object actual, Object expected) {
    if (!Objects.deepEquals(actual, expected)) throw new AssertionError(actual + " instead of " + expected);
  }

  static void fails(String state, Check check) throws Exception {
    try {
      check.run();
    } catch (SQLException thrown) {
      equal(thrown.getSQLState(), state);
      return;
    }
    throw new AssertionError("no error " + state);
  }

  public static void main(String[] arguments) throws Exception {
    Connection reader = open("SEG_CLIENT_READER"), a = open("SEG_CLIENT_OWNER"), b = open("SEG_CLIENT_OWNER");
    String places = String.join(", ", Collections.nCopies(300, "(?::int)"));
    Object[] many = new Object[300];
    for (int at = 0; at < many.length; at++) many[at] = at + 1;

    report("read only", () -> {
      reader.setReadOnly(true);
      equal(value(reader, "select count(*) > 6 from by_user"), true);
      reader.setAutoCommit(false);
      equal(value(reader, "show transaction_read_only"), "on");
      reader.commit();
      reader.setAutoCommit(true);
      a.setReadOnly(true);
      a.setAutoCommit(false);
      fails("25006", () -> execute(a, "create table public.x (a int)"));
      a.rollback();
      a.setAutoCommit(true);
      a.setReadOnly(false);
      equal(value(b, "show transaction_read_only"), "off");
    });
    report("isolation", () -> {
      a.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      equal(value(a, "show transaction_isolation"), "serializable");
      equal(value(b, "show transaction_isolation"), "read committed");
      a.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    });
    report("settings", () -> {
      execute(a, "set work_mem = '9MB'");
      a.setSchema("public");
      equal(a.getSchema(), "public");
      equal(value(a, "select set_config(?, ?, false)", "app.tenant", "blue"), "blue");
      equal(value(b, "select coalesce(current_setting('app.tenant', true), '')"), "");
      equal(value(a, "select current_setting('app.tenant') || current_setting('work_mem')"), "blue9MB");
      a.setSchema("stream");
    });
    report("prepared statements", () -> {
      // From the fifth time on the driver prepares it by name.
      try (PreparedStatement mine = a.prepareStatement("select ? + 1"); PreparedStatement other = b.prepareStatement("select ? + 2")) {
        for (int n = 0; n < 8; n++) {
          mine.setInt(1, n);
          other.setInt(1, n);
          try (ResultSet one = mine.executeQuery(); ResultSet two = other.executeQuery()) {
            equal(one.next() && two.next(), true);
            equal(List.of(one.getInt(1), two.getInt(1)), List.of(n + 1, n + 2));
          }
        }
      }
    });
    report("temporary tables", () -> {
      a.setAutoCommit(false);
      execute(a, "create temp table notes on commit drop as select generate_series(1, 3) as x");
      equal(value(a, "select sum(x) from notes"), 6L);
      a.commit();
      a.setAutoCommit(true);
      equal(value(b, "select to_regclass('notes') is null"), true);
    });
    report("cursors", () -> {
      a.setAutoCommit(false);
      try (Statement statement = a.createStatement()) {
        statement.setFetchSize(100);
        int sum = 0;
        try (ResultSet rows = statement.executeQuery("select generate_series(1, 1000)")) {
          while (rows.next()) sum += rows.getInt(1);
        }
        equal(sum, 500500);
      }
      a.commit();
      a.setAutoCommit(true);
    });
    report("types", () -> {
      OffsetDateTime at = OffsetDateTime.parse("2024-02-29T01:02:03.456789Z");
      Object[] sent = {1, 1L << 40, 1.5, new BigDecimal("12345678901234567890.0123456789"), "it's \"ü\" 🦆", new byte[] {0, -1}, true, null, java.sql.Date.valueOf("2024-02-29"), UUID.fromString("00000000-0000-0000-0000-000000000007")};
      String[] names = {"int", "bigint", "float8", "numeric", "text", "bytea", "bool", "text", "date", "uuid"};
      for (int index = 0; index < sent.length; index++) equal(value(a, "select ?::" + names[index], sent[index]), sent[index]);
      try (PreparedStatement statement = a.prepareStatement("select ?::timestamptz, ?::int[]")) {
        statement.setObject(1, at);
        statement.setArray(2, a.createArrayOf("int4", new Integer[] {1, null, 3}));
        ResultSet rows = statement.executeQuery();
        rows.next();
        equal(rows.getObject(1, OffsetDateTime.class).toInstant(), at.toInstant());
        equal(rows.getArray(2).getArray(), new Integer[] {1, null, 3});
      }
    });
    report("300 parameters", () -> {
      equal(value(a, "select sum(n) from (values " + places + ") as v(n)", many), 45150L);
      fails("54001", () -> value(a, "select 1" + " + 1".repeat(24_999)));
      equal(value(a, "select 1"), 1);
    });
    report("errors", () -> {
      fails("22012", () -> value(a, "select 1 / ?::int", 0));
      b.setAutoCommit(false);
      Savepoint before = b.setSavepoint();
      fails("42P01", () -> value(b, "select * from nowhere"));
      fails("25P02", () -> value(b, "select 1"));
      b.rollback(before);
      equal(value(b, "select 2"), 2);
      b.commit();
      b.setAutoCommit(true);
      equal(value(a, "select 1"), 1);
    });
    report("pipelining", () -> {
      a.setAutoCommit(false);
      execute(a, "create temp table numbers (n int) on commit drop");
      try (PreparedStatement insert = a.prepareStatement("insert into numbers values (?)")) {
        for (int n = 1; n <= 300; n++) {
          insert.setInt(1, n);
          insert.addBatch();
        }
        equal(insert.executeBatch().length, 300);
      }
      equal(value(a, "select sum(n) from numbers"), 45150L);
      a.commit();
      a.setAutoCommit(true);
    });
    report("LISTEN", () -> {
      execute(a, "listen news");
      value(b, "select pg_notify(?, ?)", "news", "first");
      var told = a.unwrap(PGConnection.class).getNotifications(20_000);
      equal(told.length, 1);
      equal(told[0].getParameter(), "first");
      value(b, "select 1");
      equal(b.unwrap(PGConnection.class).getNotifications().length, 0);
    });
    report("COPY", () -> {
      var into = new CopyManager(a.unwrap(BaseConnection.class));
      into.copyIn("copy segment_events (event_id, user_id, vendor) from stdin", new StringReader(UUID.randomUUID() + "\tjdbc\t1\n"));
      var out = new ByteArrayOutputStream();
      new CopyManager(reader.unwrap(BaseConnection.class)).copyOut("copy (select events from by_user where user_id = 'jdbc') to stdout", out);
      equal(out.toString(), "1\n");
    });
    report("catalog", () -> {
      DatabaseMetaData catalog = a.getMetaData();
      List<String> columns = new ArrayList<>();
      try (ResultSet rows = catalog.getColumns(null, "stream", "by_user", null)) {
        while (rows.next()) columns.add(rows.getString("COLUMN_NAME") + " " + rows.getString("TYPE_NAME"));
      }
      equal(columns, List.of("user_id text", "events int8"));
      for (ResultSet rows : List.of(catalog.getTables(null, null, "%", null), catalog.getPrimaryKeys(null, "stream", "segment_events"), catalog.getIndexInfo(null, "stream", "segment_events", false, true), catalog.getImportedKeys(null, "stream", "by_user"), catalog.getFunctions(null, null, "seg%"), catalog.getTypeInfo(), catalog.getSchemas())) {
        while (rows.next()) rows.getString(1);
        rows.close();
      }
    });
    for (Connection each : List.of(reader, a, b)) each.close();
  }
}
