package io.github.arka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The samples do what they say, and the documents say what the samples do. Maven runs this in clients/java. */
@Timeout(120)
class SamplesTest {
  @ParameterizedTest
  @EnabledIfEnvironmentVariable(named = "ARKA_URL", matches = ".+")
  @CsvSource(delimiter = '|', value = {
      "Quickstart | in the object store: true; 3 rows, the first: Alice",
      "Durable | on disk: 10; lag is known: true; the last one reached MEMORY; the last one reached LOCAL_DISK;"
          + " the last one reached OBJECT_STORAGE; the last one reached COMMITTED; told: true;"
          + " safe: 10, still to be kept: 0; the server is ready: true",
      "ExactlyOnce | lines, different, last: [50, 50, 50]",
      "Backpressure | some may be dropped: true; refused: the column \"sensor\": Integer is no value of Utf8;"
          + " all rows are committed"})
  void aSampleDoesWhatItSays(String sample, String printed, @TempDir Path folder) throws Exception {
    Path out = folder.resolve("out");
    Path wrong = folder.resolve("wrong");
    String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Process run = new ProcessBuilder(
        Path.of(System.getProperty("java.home"), "bin/java").toString(), "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "-XX:TieredStopAtLevel=1", "-cp", classPath, "samples/" + sample + ".java", System.getenv("ARKA_URL"))
        .redirectOutput(out.toFile()).redirectError(wrong.toFile()).start();
    try {
      assertTrue(run.waitFor(100, TimeUnit.SECONDS), "it goes on and on");
    } finally {
      run.destroyForcibly();
    }
    assertEquals(0, run.exitValue(), Files.readString(wrong));
    assertEquals(List.of(printed.split("; ")), Files.readAllLines(out));
  }

  /** Every Java block of the documents is in a sample, word for word but for the indentation. */
  @ParameterizedTest
  @ValueSource(strings = {"README.md", "../../docs/guide/java.md"})
  void aDocumentSaysWhatTheSamplesDo(String document) throws IOException {
    String code;
    try (Stream<Path> samples = Files.list(Path.of("samples"))) {
      code = Stream.concat(samples, Stream.of(Path.of("../../examples/java/ArkaFlightClient.java")))
          .map(SamplesTest::unindented).collect(Collectors.joining());
    }
    Matcher blocks = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(Path.of(document)));
    int count = 0;
    for (; blocks.find(); ++count) {
      assertTrue(code.contains(unindented(blocks.group(1))), document + ": no sample has\n" + blocks.group(1));
    }
    assertTrue(count >= 5, document + " has " + count + " blocks of Java");
  }

  private static String unindented(Path file) {
    try {
      return unindented(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String unindented(String text) {
    return text.strip().lines().map(String::strip).collect(Collectors.joining("\n")) + "\n";
  }
}
