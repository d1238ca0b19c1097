# Arrow, Parquet and Flight as imported targets: arka::arrow, arka::parquet, arka::arrow_flight.
# A system Arrow of the wanted major version comes first; else the pyarrow wheel's own libraries.

set(ARKA_ARROW_MAJOR 26)
find_package(Arrow ${ARKA_ARROW_MAJOR} CONFIG QUIET)
if(Arrow_FOUND)
  find_package(Parquet ${ARKA_ARROW_MAJOR} CONFIG REQUIRED)
  find_package(ArrowFlight ${ARKA_ARROW_MAJOR} CONFIG REQUIRED)
  add_library(arka::arrow ALIAS Arrow::arrow_shared)
  add_library(arka::parquet ALIAS Parquet::parquet_shared)
  add_library(arka::arrow_flight ALIAS ArrowFlight::arrow_flight_shared)
  set(PyarrowArrow_FOUND TRUE)
  return()
endif()

file(GLOB ARKA_PYARROW_CANDIDATES ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow)
find_path(ARKA_PYARROW_DIR include/arrow/api.h
          PATHS ${ARKA_PYARROW_CANDIDATES} NO_DEFAULT_PATH
          DOC "The pyarrow package's folder")
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PyarrowArrow REQUIRED_VARS ARKA_PYARROW_DIR
                                  REASON_FAILURE_MESSAGE "run ./dev setup")

function(arka_import_arrow name file)
  add_library(arka::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(arka::${name} PROPERTIES
    IMPORTED_LOCATION ${ARKA_PYARROW_DIR}/${file}.so.${ARKA_ARROW_MAJOR}00
    INTERFACE_INCLUDE_DIRECTORIES ${ARKA_PYARROW_DIR}/include)
endfunction()
arka_import_arrow(arrow libarrow)
arka_import_arrow(arrow_s3 libarrow_s3)
arka_import_arrow(parquet libparquet)
arka_import_arrow(arrow_flight libarrow_flight)
target_link_libraries(arka::parquet INTERFACE arka::arrow)
target_link_libraries(arka::arrow_flight INTERFACE arka::arrow)
set(CMAKE_BUILD_RPATH ${ARKA_PYARROW_DIR})
