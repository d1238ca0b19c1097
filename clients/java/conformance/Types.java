import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.*;
import org.apache.arrow.vector.complex.*;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;

/** One batch with a column of every type that Arrow's library has and a table can hold (docs/spec/tables.md). */
final class Types {
  private static final DictionaryEncoding ENCODING = new DictionaryEncoding(7, false, new ArrowType.Int(8, true));
  private static final ArrowType INT32 = new ArrowType.Int(32, true);

  private final BufferAllocator allocator;
  private final List<FieldVector> columns = new ArrayList<>();

  private Types(BufferAllocator allocator) {
    this.allocator = allocator;
  }

  static DictionaryProvider dictionaries(BufferAllocator allocator) {
    VarCharVector words = new VarCharVector("words", allocator);
    words.allocateNew();
    words.setSafe(0, "word".getBytes(StandardCharsets.UTF_8));
    words.setValueCount(1);
    return new DictionaryProvider.MapDictionaryProvider(new Dictionary(words, ENCODING));
  }

  /** Two rows: a value in every column, and a null in every column. */
  static VectorSchemaRoot batch(BufferAllocator allocator) {
    Types made = new Types(allocator);
    made.fill();
    for (FieldVector column : made.columns) {
      column.setNull(1);
      column.setValueCount(2);
    }
    return new VectorSchemaRoot(made.columns);
  }

  private <V extends FieldVector> V column(String name, ArrowType type, ArrowType... children) {
    return column(new Field(name, FieldType.nullable(type), fields(children)));
  }

  @SuppressWarnings("unchecked")
  private <V extends FieldVector> V column(Field field) {
    V vector = (V) field.createVector(allocator);
    vector.allocateNew();
    columns.add(vector);
    return vector;
  }

  private static List<Field> fields(ArrowType... types) {
    List<Field> fields = new ArrayList<>();
    for (ArrowType type : types) {
      fields.add(Field.nullable("item", type));
    }
    return fields;
  }

  private void fill() {
    byte[] text = "a text that is too long to be inlined".getBytes(StandardCharsets.UTF_8);
    this.<BitVector>column("bool", new ArrowType.Bool()).setSafe(0, 1);
    for (int bits : new int[] {8, 16, 32, 64}) {
      integer("int" + bits, bits, true);
    }
    for (int bits : new int[] {8, 16, 32}) {
      integer("uint" + bits, bits, false);
    }
    this.<Float2Vector>column("float16", new ArrowType.FloatingPoint(FloatingPointPrecision.HALF))
        .setSafeWithPossibleTruncate(0, 1.5f);
    this.<Float4Vector>column("float32", new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE)).setSafe(0, 2.5f);
    this.<Float8Vector>column("float64", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE)).setSafe(0, 3.5);
    this.<DecimalVector>column("decimal128", new ArrowType.Decimal(38, 4, 128))
        .setSafe(0, new BigDecimal("12345678.9012"));
    this.<Decimal256Vector>column("decimal256", new ArrowType.Decimal(38, 4, 256))
        .setSafe(0, new BigDecimal("12345678.9012"));
    this.<DateDayVector>column("date32", new ArrowType.Date(DateUnit.DAY)).setSafe(0, 20_000);
    this.<DateMilliVector>column("date64", new ArrowType.Date(DateUnit.MILLISECOND)).setSafe(0, 20_000 * 86_400_000L);
    this.<TimeSecVector>column("time32_s", new ArrowType.Time(TimeUnit.SECOND, 32)).setSafe(0, 45_296);
    this.<TimeMilliVector>column("time32_ms", new ArrowType.Time(TimeUnit.MILLISECOND, 32)).setSafe(0, 45_296_789);
    this.<TimeMicroVector>column("time64_us", new ArrowType.Time(TimeUnit.MICROSECOND, 64)).setSafe(0, 45_296_789_012L);
    this.<TimeNanoVector>column("time64_ns", new ArrowType.Time(TimeUnit.NANOSECOND, 64))
        .setSafe(0, 45_296_789_012_345L);
    timestamp("timestamp_s", TimeUnit.SECOND, null, 1_728_045_296L);
    timestamp("timestamp_ms", TimeUnit.MILLISECOND, null, 1_728_045_296_789L);
    timestamp("timestamp_us", TimeUnit.MICROSECOND, null, 1_728_045_296_789_012L);
    timestamp("timestamp_ns", TimeUnit.NANOSECOND, null, 1_728_045_296_789_012_345L);
    timestamp("timestamp_us_utc", TimeUnit.MICROSECOND, "UTC", 1_728_045_296_789_012L);
    this.<VarCharVector>column("utf8", new ArrowType.Utf8()).setSafe(0, text);
    this.<LargeVarCharVector>column("large_utf8", new ArrowType.LargeUtf8()).setSafe(0, text);
    this.<ViewVarCharVector>column("utf8_view", new ArrowType.Utf8View()).setSafe(0, text);
    this.<VarBinaryVector>column("binary", new ArrowType.Binary()).setSafe(0, text);
    this.<LargeVarBinaryVector>column("large_binary", new ArrowType.LargeBinary()).setSafe(0, text);
    this.<ViewVarBinaryVector>column("binary_view", new ArrowType.BinaryView()).setSafe(0, text);
    this.<FixedSizeBinaryVector>column("fixed_size_binary", new ArrowType.FixedSizeBinary(4))
        .setSafe(0, new byte[] {1, 2, 3, 4});
    ListVector list = column("list", new ArrowType.List(), INT32);
    ((IntVector) list.getDataVector()).setSafe(list.startNewValue(0), 1);
    list.endValue(0, 1);
    LargeListVector largeList = column("large_list", new ArrowType.LargeList(), INT32);
    ((IntVector) largeList.getDataVector()).setSafe((int) largeList.startNewValue(0), 1);
    largeList.endValue(0, 1);
    FixedSizeListVector pair = column("fixed_size_list", new ArrowType.FixedSizeList(2), INT32);
    int at = pair.startNewValue(0);
    ((IntVector) pair.getDataVector()).setSafe(at, 1);
    ((IntVector) pair.getDataVector()).setSafe(at + 1, 2);
    map();
    StructVector struct = column("struct", new ArrowType.Struct(), INT32);
    struct.setIndexDefined(0);
    ((IntVector) struct.getChildByOrdinal(0)).setSafe(0, 1);
    this.<TinyIntVector>column(new Field("dictionary", new FieldType(true, ENCODING.getIndexType(), ENCODING), null))
        .setSafe(0, 0);
  }

  private void integer(String name, int bits, boolean signed) {
    this.<FieldVector>column(name, new ArrowType.Int(bits, signed));
    ((BaseIntVector) columns.get(columns.size() - 1)).setWithPossibleTruncate(0, bits);
  }

  private void timestamp(String name, TimeUnit unit, String zone, long value) {
    this.<TimeStampVector>column(name, new ArrowType.Timestamp(unit, zone)).setSafe(0, value);
  }

  private void map() {
    Field key = Field.notNullable("key", new ArrowType.Utf8());
    Field value = Field.nullable("value", INT32);
    Field entries = new Field("entries", FieldType.notNullable(new ArrowType.Struct()), List.of(key, value));
    MapVector map = column(new Field("map", FieldType.nullable(new ArrowType.Map(false)), List.of(entries)));
    int at = map.startNewValue(0);
    StructVector entry = (StructVector) map.getDataVector();
    entry.setIndexDefined(at);
    ((VarCharVector) entry.getChild("key")).setSafe(at, "a".getBytes(StandardCharsets.UTF_8));
    ((IntVector) entry.getChild("value")).setSafe(at, 1);
    map.endValue(0, 1);
  }
}
