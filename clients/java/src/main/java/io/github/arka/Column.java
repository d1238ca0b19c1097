package io.github.arka;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BaseLargeVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/** Puts values of Java's types into one column, at any place: a row that does not fit is written over by the next. */
final class Column {
  /** Puts a value that is not null; returns about how many bytes it takes beside its fixed width. */
  private interface Setter {
    int set(int at, Object value);
  }

  private interface Nuller {
    void set(int at);
  }

  /** The value is not one for this column. */
  static final class Misfit extends RuntimeException {
    Misfit(String message) {
      super(message, null, false, false);
    }
  }

  private final Field field;
  private final Setter setter;
  private final Nuller nuller;

  Column(FieldVector vector) {
    this.field = vector.getField();
    if (field.getDictionary() != null) {
      throw unsupported();
    }
    this.nuller = vector instanceof ListVector list ? at -> {
      list.startNewValue(at); // what a row that did not fit had there is no part of it
      list.setNull(at);
    } : vector::setNull;
    this.setter = setter(vector);
  }

  String name() {
    return field.getName();
  }

  int set(int at, Object value) {
    if (value != null) {
      return setter.set(at, value);
    }
    if (!field.isNullable()) {
      throw new Misfit("it is required, and the value is null");
    }
    nuller.set(at);
    return 0;
  }

  private Setter setter(FieldVector vector) {
    return switch (vector.getMinorType()) {
      case TINYINT, SMALLINT, INT, UINT1, UINT2, UINT4, BIGINT -> integers((BaseIntVector) vector);
      case UINT8 -> bigIntegers((BaseIntVector) vector);
      case FLOAT2 -> (at, value) -> {
        ((Float2Vector) vector).setSafeWithPossibleTruncate(at, as(Number.class, value).floatValue());
        return 0;
      };
      case FLOAT4 -> (at, value) -> {
        ((Float4Vector) vector).setSafe(at, as(Number.class, value).floatValue());
        return 0;
      };
      case FLOAT8 -> (at, value) -> {
        ((Float8Vector) vector).setSafe(at, as(Number.class, value).doubleValue());
        return 0;
      };
      case BIT -> (at, value) -> {
        ((BitVector) vector).setSafe(at, as(Boolean.class, value) ? 1 : 0);
        return 0;
      };
      case DECIMAL -> (at, value) -> {
        ((DecimalVector) vector).setSafe(at, decimal(value));
        return 0;
      };
      case DECIMAL256 -> (at, value) -> {
        ((Decimal256Vector) vector).setSafe(at, decimal(value));
        return 0;
      };
      case DATEDAY -> (at, value) -> {
        ((DateDayVector) vector).setSafe(at, Math.toIntExact(as(LocalDate.class, value).toEpochDay()));
        return 0;
      };
      case DATEMILLI -> (at, value) -> {
        long day = as(LocalDate.class, value).toEpochDay();
        ((DateMilliVector) vector).setSafe(at, Math.multiplyExact(day, 86_400_000L));
        return 0;
      };
      case TIMESEC -> (at, value) -> {
        ((TimeSecVector) vector).setSafe(at, as(LocalTime.class, value).toSecondOfDay());
        return 0;
      };
      case TIMEMILLI -> (at, value) -> {
        ((TimeMilliVector) vector).setSafe(at, (int) (as(LocalTime.class, value).toNanoOfDay() / 1_000_000));
        return 0;
      };
      case TIMEMICRO -> (at, value) -> {
        ((TimeMicroVector) vector).setSafe(at, as(LocalTime.class, value).toNanoOfDay() / 1000);
        return 0;
      };
      case TIMENANO -> (at, value) -> {
        ((TimeNanoVector) vector).setSafe(at, as(LocalTime.class, value).toNanoOfDay());
        return 0;
      };
      case TIMESTAMPSEC, TIMESTAMPMILLI, TIMESTAMPMICRO, TIMESTAMPNANO,
          TIMESTAMPSECTZ, TIMESTAMPMILLITZ, TIMESTAMPMICROTZ, TIMESTAMPNANOTZ -> timestamps((TimeStampVector) vector);
      case VARCHAR -> (at, value) -> {
        byte[] text = utf8(value);
        ((BaseVariableWidthVector) vector).setSafe(at, text);
        return text.length;
      };
      case LARGEVARCHAR -> (at, value) -> {
        byte[] text = utf8(value);
        ((BaseLargeVariableWidthVector) vector).setSafe(at, text);
        return text.length;
      };
      case VIEWVARCHAR -> (at, value) -> {
        byte[] text = utf8(value);
        ((BaseVariableWidthViewVector) vector).setSafe(at, text);
        return text.length;
      };
      case VARBINARY -> (at, value) -> {
        byte[] bytes = as(byte[].class, value);
        ((BaseVariableWidthVector) vector).setSafe(at, bytes);
        return bytes.length;
      };
      case LARGEVARBINARY -> (at, value) -> {
        byte[] bytes = as(byte[].class, value);
        ((BaseLargeVariableWidthVector) vector).setSafe(at, bytes);
        return bytes.length;
      };
      case VIEWVARBINARY -> (at, value) -> {
        byte[] bytes = as(byte[].class, value);
        ((BaseVariableWidthViewVector) vector).setSafe(at, bytes);
        return bytes.length;
      };
      case FIXEDSIZEBINARY -> fixedBytes((FixedSizeBinaryVector) vector);
      case EXTENSIONTYPE -> new Column((FieldVector) ((ExtensionTypeVector<?>) vector).getUnderlyingVector()).setter;
      case LIST -> lists((ListVector) vector);
      case LARGELIST -> largeLists((LargeListVector) vector);
      case FIXED_SIZE_LIST -> fixedLists((FixedSizeListVector) vector);
      case MAP -> maps((MapVector) vector);
      case STRUCT -> structs((StructVector) vector);
      default -> throw unsupported();
    };
  }

  private ArkaException unsupported() {
    return new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
        "the column \"" + field.getName() + "\": rows cannot have " + field);
  }

  private <T> T as(Class<T> kind, Object value) {
    if (kind.isInstance(value)) {
      return kind.cast(value);
    }
    throw new Misfit(value.getClass().getSimpleName() + " is no value of " + field.getType());
  }

  private Setter integers(BaseIntVector vector) {
    ArrowType.Int type = (ArrowType.Int) field.getType();
    long most = type.getIsSigned() ? Long.MAX_VALUE >> 64 - type.getBitWidth() : (1L << type.getBitWidth()) - 1;
    long least = type.getIsSigned() ? -most - 1 : 0;
    return (at, value) -> {
      long number;
      if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
        number = ((Number) value).longValue();
      } else {
        number = exact(value).longValueExact();
      }
      if (number < least || number > most) {
        throw new Misfit(number + " is no value of " + type);
      }
      vector.setWithPossibleTruncate(at, number);
      return 0;
    };
  }

  private Setter bigIntegers(BaseIntVector vector) {
    return (at, value) -> {
      BigInteger number = exact(value);
      if (number.signum() < 0 || number.bitLength() > 64) {
        throw new Misfit(number + " is no value of " + field.getType());
      }
      vector.setWithPossibleTruncate(at, number.longValue());
      return 0;
    };
  }

  private BigInteger exact(Object value) {
    BigInteger number = value instanceof BigInteger big ? big
        : value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte
            ? BigInteger.valueOf(((Number) value).longValue()) : as(BigInteger.class, value);
    if (number.bitLength() > 64) {
      throw new Misfit(number + " is no value of " + field.getType());
    }
    return number;
  }

  private BigDecimal decimal(Object value) {
    ArrowType.Decimal type = (ArrowType.Decimal) field.getType();
    BigDecimal number = value instanceof BigDecimal exact ? exact
        : value instanceof Double || value instanceof Float ? as(BigDecimal.class, value)
        : new BigDecimal(exact(value));
    try {
      number = number.setScale(type.getScale(), RoundingMode.UNNECESSARY);
    } catch (ArithmeticException e) {
      throw new Misfit(number + " has more than " + type.getScale() + " decimal places");
    }
    if (number.precision() > type.getPrecision()) {
      throw new Misfit(number + " has more than " + type.getPrecision() + " digits");
    }
    return number;
  }

  /** What is finer than the column's unit is cut off. */
  private Setter timestamps(TimeStampVector vector) {
    ArrowType.Timestamp type = (ArrowType.Timestamp) field.getType();
    boolean zoned = type.getTimezone() != null;
    long perSecond = switch (type.getUnit()) {
      case SECOND -> 1;
      case MILLISECOND -> 1000;
      case MICROSECOND -> 1_000_000;
      case NANOSECOND -> 1_000_000_000;
    };
    return (at, value) -> {
      Instant moment = value instanceof Instant instant ? instant
          : zoned && value instanceof OffsetDateTime offset ? offset.toInstant()
          : zoned && value instanceof ZonedDateTime zone ? zone.toInstant()
          : !zoned && value instanceof LocalDateTime local ? local.toInstant(ZoneOffset.UTC)
          : as(Instant.class, value);
      try {
        vector.setSafe(at, Math.addExact(Math.multiplyExact(moment.getEpochSecond(), perSecond),
            moment.getNano() / (1_000_000_000 / perSecond)));
      } catch (ArithmeticException e) {
        throw new Misfit(moment + " is no value of " + type);
      }
      return 0;
    };
  }

  private byte[] utf8(Object value) {
    return (value instanceof String text ? text : as(CharSequence.class, value).toString())
        .getBytes(StandardCharsets.UTF_8);
  }

  private Setter fixedBytes(FixedSizeBinaryVector vector) {
    return (at, value) -> {
      byte[] bytes = value instanceof UUID uuid
          ? ByteBuffer.allocate(16).putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits()).array()
          : as(byte[].class, value);
      if (bytes.length != vector.getByteWidth()) {
        throw new Misfit(bytes.length + " bytes where there are to be " + vector.getByteWidth());
      }
      vector.setSafe(at, bytes);
      return 0;
    };
  }

  private Setter lists(ListVector vector) {
    Column items = new Column(vector.getDataVector());
    return (at, value) -> {
      List<?> list = as(List.class, value);
      int begin = vector.startNewValue(at);
      int bytes = items.setAll(begin, list);
      vector.endValue(at, list.size());
      return bytes;
    };
  }

  private Setter largeLists(LargeListVector vector) {
    Column items = new Column(vector.getDataVector());
    return (at, value) -> {
      List<?> list = as(List.class, value);
      int begin = Math.toIntExact(vector.startNewValue(at));
      int bytes = items.setAll(begin, list);
      vector.endValue(at, list.size());
      return bytes;
    };
  }

  private Setter fixedLists(FixedSizeListVector vector) {
    Column items = new Column(vector.getDataVector());
    return (at, value) -> {
      List<?> list = as(List.class, value);
      if (list.size() != vector.getListSize()) {
        throw new Misfit(list.size() + " items where there are to be " + vector.getListSize());
      }
      return items.setAll(vector.startNewValue(at), list);
    };
  }

  private int setAll(int begin, List<?> values) {
    int bytes = 8 * values.size();
    for (int i = 0; i < values.size(); ++i) {
      bytes += set(begin + i, values.get(i));
    }
    return bytes;
  }

  private Setter maps(MapVector vector) {
    StructVector entries = (StructVector) vector.getDataVector();
    Column keys = new Column(entries.getChildrenFromFields().get(0));
    Column values = new Column(entries.getChildrenFromFields().get(1));
    return (at, value) -> {
      Map<?, ?> map = as(Map.class, value);
      int place = vector.startNewValue(at);
      int bytes = 16 * map.size();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        entries.setIndexDefined(place);
        bytes += keys.set(place, entry.getKey()) + values.set(place, entry.getValue());
        ++place;
      }
      vector.endValue(at, map.size());
      return bytes;
    };
  }

  private Setter structs(StructVector vector) {
    List<Column> children = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (FieldVector child : vector.getChildrenFromFields()) {
      children.add(new Column(child));
      names.add(child.getName());
    }
    return (at, value) -> {
      Map<?, ?> map = as(Map.class, value);
      if (!names.containsAll(map.keySet())) {
        throw new Misfit("it has no field for one of " + map.keySet());
      }
      vector.setIndexDefined(at);
      int bytes = 8 * children.size();
      for (Column child : children) {
        bytes += child.set(at, map.get(child.name()));
      }
      return bytes;
    };
  }

  /** About how many bytes a value takes, whatever it is. */
  static int width(FieldVector vector) {
    return vector instanceof BaseFixedWidthVector fixed ? fixed.getTypeWidth() : 8;
  }
}
