package arka

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// column takes the values of one column. A row is looked at as a whole before any of it is added, since
// builders take nothing back.
type column struct {
	field arrow.Field
	// fits says about how many bytes a value takes, or why it does not fit.
	fits func(value any) (int64, error)
	// put adds a value that fits.
	put func(value any)
}

// scalar makes a column of a builder and a conversion that refuses what does not fit.
func scalar[T any](field arrow.Field, builder interface {
	Append(T)
	AppendNull()
}, convert func(any) (T, int64, error)) column {
	var converted T
	null := false
	return column{
		field: field,
		fits: func(value any) (int64, error) {
			if null = isNil(value); null {
				return 1, notNull(field)
			}
			var size int64
			var err error
			converted, size, err = convert(value)
			return size, err
		},
		put: func(any) { // of the value that fits was asked about last
			if null {
				builder.AppendNull()
			} else {
				builder.Append(converted)
			}
		},
	}
}

func isNil(value any) bool {
	if value == nil {
		return true
	}
	at := reflect.ValueOf(value)
	return at.Kind() == reflect.Pointer && at.IsNil()
}

func notNull(field arrow.Field) error {
	if field.Nullable {
		return nil
	}
	return fmt.Errorf("null, where there must be a value of type %s", field.Type)
}

// newColumn finds how values become one of the column's type. What has no conversion of its own goes by
// JSON, as Arrow's builders read it: lists as slices, structs as maps, decimals as strings.
func newColumn(field arrow.Field, builder array.Builder) column {
	switch b := builder.(type) {
	case *array.Int8Builder:
		return scalar(field, b, integer[int8])
	case *array.Int16Builder:
		return scalar(field, b, integer[int16])
	case *array.Int32Builder:
		return scalar(field, b, integer[int32])
	case *array.Int64Builder:
		return scalar(field, b, integer[int64])
	case *array.Uint8Builder:
		return scalar(field, b, integer[uint8])
	case *array.Uint16Builder:
		return scalar(field, b, integer[uint16])
	case *array.Uint32Builder:
		return scalar(field, b, integer[uint32])
	case *array.Uint64Builder:
		return scalar(field, b, integer[uint64])
	case *array.Float32Builder:
		return scalar(field, b, float[float32])
	case *array.Float64Builder:
		return scalar(field, b, float[float64])
	case *array.BooleanBuilder:
		return scalar(field, b, boolean)
	case *array.StringBuilder:
		return scalar(field, b, text)
	case *array.LargeStringBuilder:
		return scalar(field, b, text)
	case *array.BinaryBuilder:
		return scalar(field, b, binary)
	case *array.Date32Builder:
		return scalar(field, b, func(value any) (arrow.Date32, int64, error) {
			day, err := moment(value)
			return arrow.Date32FromTime(day), 4, err
		})
	case *array.TimestampBuilder:
		unit := field.Type.(*arrow.TimestampType).Unit
		return scalar(field, b, func(value any) (arrow.Timestamp, int64, error) {
			at, err := moment(value)
			if err != nil {
				return 0, 0, err
			}
			stamp, err := arrow.TimestampFromTime(at, unit)
			return stamp, 8, err
		})
	}
	return byJSON(field, builder)
}

func integer[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](value any) (T, int64, error) {
	if exact, ok := value.(T); ok {
		return exact, 8, nil
	}
	var made T
	fits := false
	switch given := reflect.Indirect(reflect.ValueOf(value)); {
	case given.CanInt():
		number := given.Int()
		made = T(number)
		fits = int64(made) == number && (made < 0) == (number < 0)
	case given.CanUint():
		number := given.Uint()
		made = T(number)
		fits = uint64(made) == number && made >= 0
	case given.CanFloat(): // what encoding/json makes of every number
		number := given.Float()
		if -1<<53 <= number && number <= 1<<53 {
			made = T(number)
			fits = float64(made) == number
		}
	}
	if !fits {
		return 0, 0, fmt.Errorf("%v of type %T is no %T", reflect.Indirect(reflect.ValueOf(value)), value, made)
	}
	return made, 8, nil
}

func float[T float32 | float64](value any) (T, int64, error) {
	if exact, ok := value.(T); ok {
		return exact, 8, nil
	}
	switch given := reflect.Indirect(reflect.ValueOf(value)); {
	case given.CanFloat():
		return T(given.Float()), 8, nil
	case given.CanInt():
		return T(given.Int()), 8, nil
	case given.CanUint():
		return T(given.Uint()), 8, nil
	}
	return 0, 0, misfit(value, "number")
}

func boolean(value any) (bool, int64, error) {
	if given := reflect.Indirect(reflect.ValueOf(value)); given.Kind() == reflect.Bool {
		return given.Bool(), 1, nil
	}
	return false, 0, misfit(value, "bool")
}

func text(value any) (string, int64, error) {
	made, exact := value.(string)
	if !exact {
		given := reflect.Indirect(reflect.ValueOf(value))
		if given.Kind() != reflect.String {
			return "", 0, misfit(value, "string")
		}
		made = given.String()
	}
	if !utf8.ValidString(made) {
		return "", 0, fmt.Errorf("%q is not valid UTF-8", made)
	}
	return made, int64(len(made)) + 4, nil
}

func binary(value any) ([]byte, int64, error) {
	switch given := value.(type) {
	case []byte:
		return given, int64(len(given)) + 4, nil
	case string:
		return []byte(given), int64(len(given)) + 4, nil
	}
	return nil, 0, misfit(value, "[]byte")
}

func moment(value any) (time.Time, error) {
	switch given := value.(type) {
	case time.Time:
		return given, nil
	case *time.Time:
		return *given, nil
	}
	return time.Time{}, misfit(value, "time.Time")
}

func misfit(value any, wanted string) error {
	return fmt.Errorf("a value of type %T, where there must be a %s", value, wanted)
}

// byJSON tries each value on a builder of its own first.
func byJSON(field arrow.Field, builder array.Builder) column {
	trial := array.NewBuilder(memory.DefaultAllocator, field.Type)
	var written []byte
	return column{
		field: field,
		fits: func(value any) (size int64, err error) {
			written = nil
			if isNil(value) {
				return 1, notNull(field)
			}
			text, err := json.Marshal([]any{value})
			if err != nil {
				return 0, err
			}
			defer func() {
				trial.NewArray().Release()
				if broken := recover(); broken != nil {
					err = fmt.Errorf("%s is no %s: %v", text, field.Type, broken)
				}
			}()
			if err := trial.UnmarshalJSON(text); err != nil {
				return 0, fmt.Errorf("%s is no %s: %w", text, field.Type, err)
			}
			written = text
			return int64(len(text)), nil
		},
		put: func(any) {
			if written == nil {
				builder.AppendNull()
			} else if err := builder.UnmarshalJSON(written); err != nil {
				panic(err) // the trial took it
			}
		},
	}
}
