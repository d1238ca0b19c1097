/**
 * Writes Arrow record batches to an Arka server, each exactly once, and tells how durable each write is.
 *
 * <p>{@link io.github.arka.ArkaClient} is a way to one server. {@link io.github.arka.ArkaStream} writes batches to one
 * table: it numbers them, keeps them until the server has them on its disk, and sends them again after a
 * lost connection or a crash of the server, without writing any of them twice. {@link io.github.arka.ArkaAppender} does
 * the same for rows. Every error is an {@link io.github.arka.ArkaException}.
 */
package io.github.arka;
