#include "arka/http/openapi.h"

namespace arka::http {
namespace {

constexpr std::string_view kDocument = R"json({
  "openapi": "3.0.3",
  "info": {
    "title": "Arka over HTTP",
    "version": "1",
    "description": "Writing rows and hearing what became of them, for those without Arrow Flight. Same port, limits and guarantees as Flight."
  },
  "paths": {
    "/api/v1/tables/{namespace}/{table}": {
      "post": {
        "operationId": "writeRows",
        "summary": "Write rows to a table",
        "description": "Every batch of an Arrow IPC stream is one write with one LSN; a body of NDJSON or CSV is one write (more where it has over a million rows). The body is checked as a whole before anything of it is written. Answered once every write has reached the level that arka-acks names.",
        "parameters": [
          {"name": "namespace", "in": "path", "required": true, "description": "The levels of the namespace, joined by '.'.", "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]*$"}},
          {"name": "table", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]*$"}},
          {"name": "arka-acks", "in": "header", "description": "The level to wait for; LOCAL_DISK where it is missing.", "schema": {"$ref": "#/components/schemas/Level"}},
          {"name": "arka-session", "in": "header", "description": "The session that hears of these writes at /api/v1/acks/{session}.", "schema": {"$ref": "#/components/schemas/ClientName"}},
          {"name": "arka-producer", "in": "header", "description": "Who writes, with arka-seq: the same seq sent again is answered with its first LSN and written once.", "schema": {"$ref": "#/components/schemas/ClientName"}},
          {"name": "arka-seq", "in": "header", "description": "The number of the body's first batch, counted from 1; the others count on.", "schema": {"type": "integer", "format": "int64", "minimum": 1}}
        ],
        "requestBody": {
          "required": true,
          "content": {
            "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/jsonl": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}}
          }
        },
        "responses": {
          "200": {"description": "All is written, and has reached the level.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Written"}}}},
          "400": {"$ref": "#/components/responses/Error"},
          "401": {"$ref": "#/components/responses/Error"},
          "403": {"$ref": "#/components/responses/Error"},
          "404": {"$ref": "#/components/responses/Error"},
          "409": {"$ref": "#/components/responses/Error"},
          "413": {"$ref": "#/components/responses/Error"},
          "415": {"$ref": "#/components/responses/Error"},
          "429": {"$ref": "#/components/responses/Error"},
          "500": {"$ref": "#/components/responses/Error"},
          "501": {"$ref": "#/components/responses/Error"},
          "503": {"$ref": "#/components/responses/Error"},
          "504": {"$ref": "#/components/responses/Error"}
        }
      }
    },
    "/api/v1/acks/{session}": {
      "get": {
        "operationId": "listenToAcks",
        "summary": "Hear what becomes of a session's writes",
        "description": "Server-sent events, for as long as the client listens. The data of each event `acks` is {\"events\": [...]}; its id is where Last-Event-ID goes on.",
        "parameters": [
          {"name": "session", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/ClientName"}},
          {"name": "Last-Event-ID", "in": "header", "description": "The id of the last event that was heard.", "schema": {"type": "string", "pattern": "^[0-9]{1,18}\\.[0-9]{1,18}\\.[0-9]{1,18}\\.[0-9]{1,18}$"}}
        ],
        "responses": {
          "200": {"description": "The events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
          "400": {"$ref": "#/components/responses/Error"},
          "401": {"$ref": "#/components/responses/Error"},
          "403": {"$ref": "#/components/responses/Error"},
          "404": {"$ref": "#/components/responses/Error"},
          "429": {"$ref": "#/components/responses/Error"}
        }
      }
    },
    "/api/v1/status": {
      "get": {
        "operationId": "status",
        "summary": "How far the server is",
        "responses": {
          "200": {"description": "Watermarks, problems, tables that wait.", "content": {"application/json": {"schema": {"type": "object", "required": ["version", "node", "ready"]}}}},
          "401": {"$ref": "#/components/responses/Error"}
        }
      }
    },
    "/api/v1/openapi.json": {
      "get": {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {"200": {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}}}
      }
    }
  },
  "components": {
    "schemas": {
      "Level": {"type": "string", "enum": ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]},
      "ClientName": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-.0-~]([ -.0-~]*[!-.0-~])?$"},
      "Write": {
        "type": "object",
        "required": ["lsn", "durability_level", "rows"],
        "properties": {
          "lsn": {"type": "integer", "format": "int64"},
          "durability_level": {"type": "string", "nullable": true, "enum": ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED", null]},
          "rows": {"type": "integer", "format": "int64"}
        }
      },
      "Written": {
        "type": "object",
        "required": ["table", "rows", "writes", "last_lsn"],
        "properties": {
          "table": {"type": "string"},
          "rows": {"type": "integer", "format": "int64"},
          "writes": {"type": "array", "items": {"$ref": "#/components/schemas/Write"}},
          "last_lsn": {"type": "integer", "format": "int64", "nullable": true}
        }
      },
      "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
          "error": {
            "type": "object",
            "required": ["code", "message", "retryable"],
            "properties": {
              "code": {"type": "string"},
              "message": {"type": "string"},
              "retryable": {"type": "boolean"},
              "written": {"type": "array", "description": "What of the body was written before the error.", "items": {"$ref": "#/components/schemas/Write"}}
            }
          }
        }
      }
    },
    "responses": {
      "Error": {
        "description": "What was wrong and what to do. With retry-after where the same request may succeed later.",
        "headers": {"retry-after": {"schema": {"type": "integer"}}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
      }
    }
  }
}
)json";

}  // namespace

std::string_view OpenApiDocument() { return kDocument; }

transport::HttpResponse OpenApiAnswer() {
  transport::HttpResponse response;
  response.content_type = "application/json";
  response.body = std::string(kDocument);
  return response;
}

}  // namespace arka::http
