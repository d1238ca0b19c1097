package io.github.arka;

import static io.github.arka.Level.COMMITTED;
import static io.github.arka.Level.LOCAL_DISK;
import static io.github.arka.Level.MEMORY;
import static io.github.arka.Level.OBJECT_STORAGE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private final List<String> heard = new ArrayList<>();
  private final Ledger ledger = new Ledger(
      (number, lsn, level, micros, snapshot) -> heard.add(number + "=" + lsn + " " + level));

  private void ack(long lsn, Level level) {
    ledger.ack(lsn, level, 1, -1);
  }

  private void refused(long lsn, Level level) {
    ArkaException error = assertThrows(ArkaException.class, () -> ack(lsn, level));
    assertEquals(ArkaException.Code.INTERNAL, error.code());
    assertFalse(error.retryable());
  }

  @Test
  void levelsAreReachedInTheOrderOfTheWrites() {
    ledger.sent(2);
    ack(1000, MEMORY);
    ack(1007, MEMORY);
    ack(1000, LOCAL_DISK);
    assertEquals(2, ledger.reached(MEMORY));
    assertEquals(1, ledger.reached(LOCAL_DISK));
    assertEquals(1000, ledger.reachedLsn(LOCAL_DISK));
    assertEquals(List.of("1=1000 MEMORY", "2=1007 MEMORY", "1=1000 LOCAL_DISK"), heard);
    assertEquals(2, ledger.numberOf(1007));
    assertEquals(2, ledger.numberOf(1003));
    assertEquals(0, ledger.numberOf(1008));
  }

  @Test
  void anAckOfWhatWasNotSentIsAViolation() {
    ledger.sent(1);
    ack(1000, MEMORY);
    refused(1001, MEMORY);
  }

  @Test
  void anLsnThatGoesBackIsAViolation() {
    ledger.sent(2);
    ack(1000, MEMORY);
    refused(999, MEMORY);
  }

  @Test
  void anLsnTwiceIsAViolationButOfWritesThatAreSentAgain() {
    ledger.sent(2);
    ack(1000, MEMORY);
    refused(1000, MEMORY);
    ledger.begin();
    ledger.sent(3);
    ack(1002, MEMORY);
    ack(1002, MEMORY); // the server has forgotten which LSNs the two had
    refused(1002, MEMORY);
    ack(1003, MEMORY);
  }

  @Test
  void aLevelThatIsSkippedIsAViolation() {
    ledger.sent(1);
    ack(1000, MEMORY);
    refused(1000, OBJECT_STORAGE);
  }

  @Test
  void anAckOfAnotherLsnIsAViolation() {
    ledger.sent(2);
    ack(1000, MEMORY);
    ack(1001, MEMORY);
    refused(1001, LOCAL_DISK);
  }

  @Test
  void aLevelTwiceIsAViolation() {
    ledger.sent(1);
    ack(1000, MEMORY);
    ack(1000, LOCAL_DISK);
    refused(1000, LOCAL_DISK);
  }

  @Test
  void whatWasInMemoryOnlyMayComeBackUnderAnotherLsn() {
    ledger.sent(3);
    for (long lsn = 1000; lsn < 1003; ++lsn) {
      ack(lsn, MEMORY);
    }
    ack(1000, LOCAL_DISK);
    ledger.begin();
    assertEquals(1, ledger.reached(MEMORY));
    ledger.sent(3);
    heard.clear();
    ack(1005, MEMORY);
    assertEquals(List.of("2=1005 MEMORY"), heard);
  }

  @Test
  void anLsnThatACrashMayHaveTakenIsOfTheLastWriteThatHadOne() {
    ledger.sent(3);
    for (long lsn = 1000; lsn < 1003; ++lsn) {
      ack(lsn, MEMORY);
    }
    ack(1000, LOCAL_DISK);
    ledger.begin();
    assertEquals(3, ledger.numberOf(1002));
    ledger.sent(3);
    ack(1003, MEMORY);
    assertEquals(3, ledger.numberOf(1002), "not of the second, which has 1003");
    ack(1004, MEMORY);
    assertEquals(List.of(1L, 3L, 3L, 2L, 3L), List.of(1000, 1001, 1002, 1003, 1004).stream().map(ledger::numberOf).toList());
    assertEquals(0, ledger.numberOf(1005));
  }

  @Test
  void writesOfAnEarlierConnectionGoByTheWatermarks() {
    ledger.sent(3);
    for (long lsn : new long[] {1000, 1004, 1009}) {
      ack(lsn, MEMORY);
      ack(lsn, LOCAL_DISK);
    }
    ledger.watermarks(new Watermarks(1009, 1009, 1009, 1009));
    assertEquals(0, ledger.reached(COMMITTED), "writes of this connection have acks of their own");
    ledger.begin();
    ledger.watermarks(new Watermarks(1009, 1009, 1008, 1000));
    assertEquals(2, ledger.reached(OBJECT_STORAGE));
    assertEquals(1, ledger.reached(COMMITTED));
  }

  @Test
  void anAckOfALaterWriteSpeaksForThoseOfAnEarlierConnection() {
    ledger.sent(1);
    ack(1000, MEMORY);
    ack(1000, LOCAL_DISK);
    ledger.begin();
    ledger.sent(2);
    for (Level level : Level.values()) {
      ack(1001, level);
    }
    assertEquals(2, ledger.reached(COMMITTED));
    assertEquals(List.of("1=1000 COMMITTED", "2=1001 COMMITTED"), heard.subList(heard.size() - 2, heard.size()));
  }

  @Test
  void runsOfLsnsAreForgottenOnceTheyAreCommitted() {
    Ledger.LsnRuns runs = new Ledger.LsnRuns();
    for (long number = 1; number <= 5000; ++number) {
      runs.append(number, 1000 + 2 * number); // no two are consecutive
      runs.forgetBelow(number - 10);
    }
    assertEquals(0, runs.lsnOf(1));
    assertEquals(1000 + 2 * 4995, runs.lsnOf(4995));
  }
}
